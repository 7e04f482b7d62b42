"""Training of any Keras model, resumable to the same bits."""
