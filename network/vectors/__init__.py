"""Input vectors that every executor is compared on."""

from siliconv.network.vectors.corners import corner_vectors

__all__ = ["corner_vectors"]
