"""What firmware can be made of, in hls4ml's words: strategies, I/O types, template families, layer kinds."""

from __future__ import annotations

from enum import StrEnum


class Strategy(StrEnum):
    """How hls4ml lays out a matrix-vector product; the value is hls4ml's spelling in lower case."""

    LATENCY = "latency"
    RESOURCE = "resource"
    RESOURCE_UNROLLED = "resource_unrolled"
    DISTRIBUTED_ARITHMETIC = "distributed_arithmetic"


class IoType(StrEnum):
    """Whether layers exchange whole tensors or streams of pixels."""

    STREAM = "io_stream"
    PARALLEL = "io_parallel"


class Backend(StrEnum):
    """The family of templates and the scheduler; accelerator variants belong to their family."""

    VIVADO = "Vivado"
    VITIS = "Vitis"


class Synthesis(StrEnum):
    """Which report a resource figure predicts: C synthesis or logic synthesis."""

    CSYNTH = "csynth"
    VSYNTH = "vsynth"


class LayerKind(StrEnum):
    """The layers that multiply by weights."""

    CONV1D = "conv1d"
    CONV2D = "conv2d"
    DEPTHWISE1D = "depthwise1d"
    DEPTHWISE2D = "depthwise2d"
    DENSE = "dense"

    @property
    def is_convolution(self) -> bool:
        """Whether the layer slides a kernel over pixels (depthwise included)."""
        return self is not LayerKind.DENSE

    @property
    def is_depthwise(self) -> bool:
        """Whether each channel has its own kernel."""
        return self in (LayerKind.DEPTHWISE1D, LayerKind.DEPTHWISE2D)
