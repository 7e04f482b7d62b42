"""What a network is made of: layers, shapes, presets, users' Keras files, and the Keras model built from them."""

from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.presets import preset, preset_names

__all__ = ["Architecture", "preset", "preset_names"]
