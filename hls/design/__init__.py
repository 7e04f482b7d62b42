"""The design as the estimator sees it: the hardware that each node becomes."""

from siliconv.hls.design.design import Design, Layer

__all__ = ["Design", "Layer"]
