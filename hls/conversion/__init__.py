"""From the integer network to a complete hls4ml project with every type stated."""

from siliconv.hls.conversion.conversion import FirmwareProject, build_graph, convert

__all__ = ["FirmwareProject", "build_graph", "convert"]
