"""The eight stages from images to report."""
