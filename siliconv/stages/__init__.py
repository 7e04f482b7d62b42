"""The stages from images to report, and those of the SystemVerilog core."""
