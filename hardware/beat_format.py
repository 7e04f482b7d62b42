"""How a tensor travels over AXI-Stream: lanes of codes, a pixel a beat (docs/stream_format.md)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from siliconv.network.fixed_point import FixedPoint

SMALLEST_BEAT, LARGEST_BEAT = 8, 512
"""Bits of TDATA."""


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
