"""The quantized CNN, the integer network it is lowered to, and their executors."""
