"""Trained QKeras models, read as data: their layers, their own quantizers, and the weights."""
