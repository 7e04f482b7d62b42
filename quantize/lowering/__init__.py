"""From the QKeras model to the integer network, and how far the two agree."""
