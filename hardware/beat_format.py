"""How a tensor travels over AXI-Stream: lanes of codes, a pixel a beat (docs/stream_format.md)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from siliconv.network.fixed_point import Codes, FixedPoint

SMALLEST_BEAT, LARGEST_BEAT = 8, 512
"""Bits of TDATA."""

END_WORDS = 8
"""Pixels in the FIFOs between a core and both ends of its top level: more than a layer's pipeline has under way."""


@dataclass(frozen=True)
class BeatFormat:
    """The beats of one image or one result.

    ``lane_bits``: of one code, sign-extended; ``channels``: codes of a pixel; ``beat_bits``: of TDATA; ``beats``: of a
    pixel; ``pixels``: of an image.
    """

    lane_bits: int
    channels: int
    beat_bits: int
    beats: int
    pixels: int

    @property
    def lanes(self) -> int:
        """Codes of a beat."""
        return self.beat_bits // self.lane_bits

    @property
    def padded_channels(self) -> int:
        """Lanes of a pixel, with those behind its channels, which mean nothing."""
        return self.beats * self.lanes

    @property
    def beats_of_image(self) -> int:
        """Beats of an image: the fewest cycles in which it can come."""
        return self.beats * self.pixels


def beat_format(shape: tuple[int, ...], kind: FixedPoint) -> BeatFormat:
    """Give the beats of a tensor; its last axis is a pixel's channels.

    A lane is the next of 8, 16, 32 and 64 bits that holds a code; a beat the next power of two that holds the lanes
    of a pixel, from 8 to 512 bits. Wider pixels come in several beats.
    """
    lane = 1 << max((kind.width - 1).bit_length(), 3)
    channels = shape[-1]
    beat = min(max(1 << (lane * channels - 1).bit_length(), SMALLEST_BEAT), LARGEST_BEAT)
    return BeatFormat(lane, channels, beat, -(-channels // (beat // lane)), prod(shape[:-1]))


def as_beats(codes: Codes, form: BeatFormat) -> NDArray[np.uint8]:
    """Give the bytes of tensors on the stream, (n, beats of an image, bytes of a beat); `codes` are (n, *shape)."""
    lanes = np.zeros((len(codes), form.pixels, form.padded_channels), f"<i{form.lane_bits // 8}")
    lanes[..., : form.channels] = codes.reshape(len(codes), form.pixels, form.channels).astype(lanes.dtype)
    return lanes.view(np.uint8).reshape(len(codes), form.beats_of_image, form.beat_bits // 8)


def from_beats(beats: NDArray[np.uint8], form: BeatFormat, kind: FixedPoint) -> Codes:
    """Give the codes of tensors, (n, pixels * channels), from `as_beats`' bytes: the low bits of each lane."""
    lanes = np.ascontiguousarray(beats).view(f"<i{form.lane_bits // 8}").astype(np.int64)
    codes = lanes.reshape(len(beats), form.pixels, form.padded_channels)[..., : form.channels]
    size = 1 << kind.width
    codes = codes & (size - 1)
    return np.where(codes > kind.codes.high, codes - size, codes).reshape(len(beats), form.pixels * form.channels)
