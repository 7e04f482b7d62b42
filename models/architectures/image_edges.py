"""Layers of Keras that cut the edges of an image, or bring it to a size."""

from __future__ import annotations

from siliconv.errors import ModelError
from siliconv.models.architectures.keras_graph import refused
from siliconv.models.architectures.keras_steps import Call, LayerStep, identity


def cropped(call: Call) -> list[LayerStep]:
    """Give an image or a waveform without its edges."""
    sides = call.settings["cropping"]
    pairs = sides if isinstance(sides[0], list | tuple) else [sides]
    before, after = ((*(int(side) for side in one), 0) for one in zip(*pairs, strict=True))
    return [LayerStep({"kind": "rearrange", "before": before, "after": after})]


def center_cropped(call: Call) -> list[LayerStep]:
    """Give the middle of an image; Keras rounds an odd edge down before it."""
    sizes = (int(call.settings["height"]), int(call.settings["width"]))
    if len(call.shape) != 3 or any(size > found for size, found in zip(sizes, call.shape, strict=False)):
        raise _resizes(call, sizes)
    before = [(found - size) // 2 for size, found in zip(sizes, call.shape, strict=False)]
    after = [found - size - start for size, found, start in zip(sizes, call.shape, before, strict=False)]
    if not any((*before, *after)):
        return identity()
    return [LayerStep({"kind": "rearrange", "before": (*before, 0), "after": (*after, 0)})]


def of_this_size(call: Call) -> list[LayerStep]:
    """Give an image that has the size already; any other would be resized."""
    sizes = (int(call.settings["height"]), int(call.settings["width"]))
    if len(call.shape) != 3 or call.shape[:2] != sizes:
        raise _resizes(call, sizes)
    return identity()


def _resizes(call: Call, sizes: tuple[int, int]) -> ModelError:
    found = "x".join(map(str, call.shape[:-1]))
    return refused(
        call.layer,
        f"it makes {sizes[0]}x{sizes[1]} of {found} by interpolation, which no core here does",
        call.where,
        f"build the model without it, with an input of {sizes[0]}x{sizes[1]}: images are brought to that size before",
    )
