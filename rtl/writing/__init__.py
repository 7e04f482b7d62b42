"""A design as files: the top level, the library beside it, what stands in its memories, a test bench."""
