"""The design around a core on a board: processing system, DMA, clock and reset, and the check that runs there."""
