"""Where two executions of a network part, the integer trace of one element, and the ranges of values."""
