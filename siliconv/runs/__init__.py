"""Finished runs: remembered, varied beside the project file, and compared."""
