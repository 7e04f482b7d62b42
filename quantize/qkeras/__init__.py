"""The QKeras model: quantizers, quantized layers and what they compute."""
