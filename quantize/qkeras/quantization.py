"""What a tensor may be rounded to, and its text in a project's build."""

from __future__ import annotations

from siliconv.network.fixed_point import FixedPoint, parse_type
from siliconv.quantize.qkeras.activation_forms import ActivationForm, parse_activation
from siliconv.quantize.qkeras.weight_levels import WeightLevels, parse_levels

Quantization = FixedPoint | WeightLevels | ActivationForm
"""Levels are for weights, forms for activations."""


def parse_quantization(text: str) -> Quantization:
    """Read what the ``str`` of a quantization wrote.

    Raises
    ------
    NetworkError
        ``TYPE-TEXT`` if the text is none.
    """
    return parse_levels(text) or parse_activation(text) or parse_type(text)
