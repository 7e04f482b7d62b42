"""Every strategy x kind of layer x reuse factor or pixels at once that is legal, for the back ends that have it: exact.

As in test_layer_matrix.py, one network holds all cases: each layer has a strategy of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
from layer_cases import TYPES, Cases, assert_every_case_exact, padding_of

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.reuse_factors import legal_reuse_factors
from siliconv.hls.kinds import IoType, LayerKind, Strategy
from siliconv.network.fixed_point import plain
from siliconv.network.graph import Dense, Reshape
from siliconv.network.intervals import sum_of_products_type

pytestmark = [pytest.mark.usefixtures("compiler"), pytest.mark.long]

PART = "xc7z020clg400-1"
SHAPES = {1: (6, 2), 2: (4, 5, 2)}
WINDOWS = {1: ((3,), (1,)), 2: ((2, 3), (1, 1))}
FILTERS = 3


class StrategyCases(Cases):
    """A network and the settings of its layers."""

    def __init__(self, axes: int, io_type: str) -> None:
        super().__init__(SHAPES[axes])
        self.io_type = io_type
        self.strategies: dict[str, Strategy] = {}
        self.reuse_factors: dict[str, int] = {}
        self.parallelization_factors: dict[str, int] = {}

    def next_source(self):
        return self.source(list(TYPES)[len(self.strategies) % len(TYPES)])

    def set(self, name, strategy, reuse, pixels=1):
        self.strategies[name], self.reuse_factors[name] = strategy, reuse
        if pixels > 1:
            self.parallelization_factors[name] = pixels

    def reuses(self, strategy, kind, n_in, n_out):
        """Legal reuse factors to try: of each of the template's branches one, up to its inputs and beyond."""
        legal = legal_reuse_factors(n_in, n_out, strategy, kind=kind, io_type=self.io_type)
        if strategy is Strategy.LATENCY:
            return [2]
        return [*[one for one in legal if one <= n_in][-1:], *[one for one in legal if one > n_in][:1]]

    def add_convolutions(self, strategy, axes):
        for window in WINDOWS[axes]:
            kind = LayerKind(f"conv{axes}d")
            n_in = int(np.prod(window)) * 2
            for reuse in self.reuses(strategy, kind, n_in, FILTERS):
                for pixels in self.pixels(axes):
                    source, strides = self.next_source(), (1,) * axes
                    name = f"{strategy}_{'x'.join(map(str, window))}_{reuse}_{pixels}"
                    padding = padding_of("same", source, window, strides)
                    self.set(name, strategy, reuse, pixels)
                    self.convolve(name, source, window, strides, padding, depthwise=False)

    def add_depthwise(self, strategy, axes):
        kind, window, strides = LayerKind(f"depthwise{axes}d"), WINDOWS[axes][0], (1,) * axes
        for reuse in self.reuses(strategy, kind, int(np.prod(window)) * 2, 2):
            source, name = self.next_source(), f"{strategy}_depthwise_{reuse}"
            self.set(name, strategy, reuse)
            self.convolve(name, source, window, strides, padding_of("same", source, window, strides), depthwise=True)

    def add_dense(self, strategy):
        size = int(np.prod(self.trunk.shape))
        for reuse in self.reuses(strategy, LayerKind.DENSE, size, FILTERS):
            source, name = self.next_source(), f"{strategy}_dense_{reuse}"
            flat = self.graph.add(Reshape(f"flat_{name}", (source.name,), (size,), plain(source.type)))
            kernel, bias = self.weights(size, FILTERS), self.weights(FILTERS)
            result = sum_of_products_type(kernel, bias, self.graph.bounds[flat.name], flat.type)
            self.set(name, strategy, reuse)
            self.add(Dense, name, [flat], result, kernel, bias)

    def pixels(self, axes):
        """Output pixels at once: some and all of them where tensors are passed whole."""
        return [1] if self.io_type == IoType.STREAM else [2, int(np.prod(SHAPES[axes][:-1]))]

    def config(self, backend):
        return HlsConfig(
            backend=backend,
            io_type=self.io_type,
            part=PART,
            strategies=self.strategies,
            reuse_factors=self.reuse_factors,
            parallelization_factors=self.parallelization_factors,
        )


def cases(axes, io_type, strategies=tuple(Strategy)):
    found = StrategyCases(axes, io_type)
    for strategy in strategies:
        found.add_convolutions(strategy, axes)
        found.add_depthwise(strategy, axes)
        found.add_dense(strategy)
    return found


@pytest.mark.parametrize("axes", [2, pytest.param(1, marks=pytest.mark.slow)], ids=["2-D", "1-D"])
@pytest.mark.parametrize("backend", ["Vitis", pytest.param("Vivado", marks=pytest.mark.slow)])
@pytest.mark.parametrize("io_type", ["io_stream", pytest.param("io_parallel", marks=pytest.mark.slow)])
def test_every_strategy_is_exact(axes, backend, io_type, tmp_path):
    found = cases(axes, io_type)
    assert_every_case_exact(found.network(), found.config(backend), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_an_accelerators_strategies_are_exact_through_its_wrapper(io_type, tmp_path):
    found = cases(2, io_type, [Strategy.RESOURCE, Strategy.DISTRIBUTED_ARITHMETIC])
    assert_every_case_exact(found.network(), found.config("VivadoAccelerator"), tmp_path)
