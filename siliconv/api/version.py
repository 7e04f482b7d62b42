"""Which version of siliconv this is."""

from __future__ import annotations

import importlib.metadata

try:
    __version__ = importlib.metadata.version("siliconv")
except importlib.metadata.PackageNotFoundError:  # the sources alone, on a path
    __version__ = "unknown"
