"""The bits of small tables of constants as Yosys makes them: equal ones are one, and some are set by an address bit."""

from __future__ import annotations

import numpy as np

from siliconv.network.fixed_point import Codes


def distinct_columns(lanes: Codes, width: int) -> Codes:
    """Give the bits of words, (words, lanes), that change, equal ones once: (bits, words)."""
    bits = ((lanes[:, :, None] >> np.arange(width)) & 1).reshape(len(lanes), -1)
    changing = bits[:, bits.any(axis=0) & ~bits.all(axis=0)]
    return np.unique(changing.T, axis=0)


def is_held(column: Codes) -> bool:
    """Whether one value of the address' highest bit decides a bit of constants: it sets or resets the register."""
    half = 1 << ((len(column) - 1).bit_length() - 1)
    below, above = (len(np.unique(part)) == 1 for part in (column[:half], column[half:]))
    return below != above  # where both are equal, it is the address bit itself
