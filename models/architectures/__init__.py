"""What a network is made of: layers, shapes, presets, users' Keras files, and the Keras model built from them."""
