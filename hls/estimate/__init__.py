"""Latency, interval and resources of a design, with bands."""

from siliconv.hls.estimate.coefficients import Coefficients, shipped
from siliconv.hls.estimate.estimate import Estimate, Value

__all__ = ["Coefficients", "Estimate", "Value", "shipped"]
