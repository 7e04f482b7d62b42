"""The integer network: its definition, its proof and all that executes it exactly. Knows no Keras and no hls4ml."""
