"""The streams of a design as the stream model's actors, and the depths that its FIFOs get."""

from siliconv.hls.fifo.sized_design import design_of, fifo_depths

__all__ = ["design_of", "fifo_depths"]
