"""The QKeras model: quantizers, quantized layers and what they compute."""

from siliconv.quantize.qkeras.quantization import Quantization, parse_quantization

__all__ = ["Quantization", "parse_quantization"]
