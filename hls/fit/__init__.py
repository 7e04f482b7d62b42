"""Settings that fit a board, and remedies where none do."""
