"""The written design in Yosys and nextpnr: what it takes of a chip, how fast it is, and its bitstream."""
