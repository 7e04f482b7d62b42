"""From a float CNN to the integer network by way of QKeras."""
