"""C simulation: compile a project, run it, compare every layer, and find what its sources say where bits differ."""

from siliconv.hls.csim.csim import compare, compile_project, simulate_apart

__all__ = ["compare", "compile_project", "simulate_apart"]
