"""Settings of the SystemVerilog core that fit a board: a search over intervals."""
