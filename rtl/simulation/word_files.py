"""Codes as the words of a stream in the test bench's files, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siliconv.network.fixed_point import Codes
from siliconv.rtl.plan.blocks import Stream


def to_words(codes: Codes, stream: Stream) -> NDArray[np.uint8]:
    """Give codes of any shape as the words of a stream, (words, bytes)."""
    lanes = codes.reshape(-1, stream.lanes)
    bits = ((lanes[:, :, None] >> np.arange(stream.type.width)) & 1).astype(np.uint8).reshape(len(lanes), -1)
    packed = np.packbits(bits, axis=1, bitorder="little")
    return np.pad(packed, ((0, 0), (0, stream.kept_bytes - packed.shape[1])))


def from_words(words: NDArray[np.uint8], stream: Stream) -> Codes:
    """Give the codes of words, (words, lanes)."""
    bits = np.unpackbits(words, axis=1, bitorder="little", count=stream.bits)
    places = np.int64(1) << np.arange(stream.type.width, dtype=np.int64)
    codes = (bits.reshape(len(words), stream.lanes, -1) * places).sum(axis=-1)
    if stream.type.signed:
        codes = np.where(codes > stream.type.codes.high, codes - (np.int64(1) << stream.type.width), codes)
    return codes


def read_words(path: Path, stream: Stream) -> Codes:
    """Read the codes that the test bench kept of a stream, (words, lanes)."""
    return from_words(np.fromfile(path, np.uint8).reshape(-1, stream.kept_bytes), stream)
