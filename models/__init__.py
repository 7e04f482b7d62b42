"""The float CNN: its images, its architecture, its training and how good it is."""
