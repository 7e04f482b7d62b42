"""From the integer network to a complete hls4ml project with every type stated."""

from siliconv.hls.conversion.conversion import Firmware, build_graph, convert

__all__ = ["Firmware", "build_graph", "convert"]
