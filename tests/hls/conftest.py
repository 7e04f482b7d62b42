"""Small integer networks for firmware tests, built directly so that no training is needed."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.written_project import write_makefile
from siliconv.network import graph as ir
from siliconv.network.fixed_point import PIXEL, FixedPoint, Overflow, Rounding, plain
from siliconv.network.intervals import Bounds, node_bounds, sum_of_products_type
from siliconv.network.windows import same_padding


class NetworkBuilder:
    """Chains nodes with random weights and proven types."""

    def __init__(self, shape: tuple[int, ...], *, input_type: FixedPoint = PIXEL, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[ir.Node] = []
        self.bounds: Bounds | None = None
        self._add(ir.Input("image", (), shape, input_type))

    @property
    def last(self) -> ir.Node:
        return self.nodes[-1]

    def conv(self, filters, window, *, strides=None, padding="same", width=5):
        strides = strides or (1,) * len(window)
        spatial = self.last.shape[:-1]
        pads = same_padding(spatial, window, strides) if padding == "same" else ((0, 0),) * len(window)
        kernel = self.weights((*window, self.last.shape[-1], filters), width)
        bias = self.weights((filters,), width + 1)
        kind = sum_of_products_type(kernel, bias, self.bounds, self.last.type)
        out = tuple((n + sum(p) - m) // s + 1 for n, p, m, s in zip(spatial, pads, window, strides, strict=True))
        return self._add(
            ir.Conv(self.name("conv"), (self.last.name,), (*out, filters), kind, kernel, bias, strides, pads)
        )

    def dense(self, units, width=5):
        kernel, bias = self.weights((self.last.shape[-1], units), width), self.weights((units,), width + 1)
        kind = sum_of_products_type(kernel, bias, self.bounds, self.last.type)
        return self._add(ir.Dense(self.name("dense"), (self.last.name,), (units,), kind, kernel, bias))

    def requantize(self, kind, *, relu=True):
        return self._add(ir.Requantize(self.name("requantize"), (self.last.name,), self.last.shape, kind, relu))

    def relu(self, width=5, integer=2):
        return self.requantize(FixedPoint(False, width, integer, Rounding.RND_CONV, Overflow.SAT))

    def max_pool(self, *window):
        return self._add(self._pool(ir.MaxPool, self.name("max_pool"), window, plain(self.last.type)))

    def average_pool(self, *window):
        places = int(np.prod(window)).bit_length() - 1
        kind = FixedPoint(self.last.type.signed, self.last.type.width + places, self.last.type.integer)
        return self._add(self._pool(ir.AveragePool, self.name("average_pool"), window, kind))

    def global_average(self):
        window = self.last.shape[:-1]
        places = int(np.prod(window)).bit_length() - 1
        kind = FixedPoint(self.last.type.signed, self.last.type.width + places, self.last.type.integer)
        pads = ((0, 0),) * len(window)
        shape = (self.last.shape[-1],)
        return self._add(
            ir.AveragePool(self.name("global_average"), (self.last.name,), shape, kind, window, window, pads)
        )

    def flatten(self):
        shape = (int(np.prod(self.last.shape)),)
        return self._add(ir.Reshape(self.name("flatten"), (self.last.name,), shape, plain(self.last.type)))

    def network(self, name="net") -> ir.Network:
        return ir.Network(name, tuple(self.nodes))

    def name(self, kind: str) -> str:
        return f"{kind}_{sum(node.name.startswith(kind) for node in self.nodes) + 1}"

    def weights(self, shape, width) -> ir.Weights:
        kind = FixedPoint(True, width, 1)
        return ir.Weights(self.random.integers(*kind.codes, size=shape, endpoint=True), kind)

    def _pool(self, kind, name, window, result):
        out = tuple(n // m for n, m in zip(self.last.shape, window, strict=False))
        pads = ((0, 0),) * len(window)
        return kind(name, (self.last.name,), (*out, self.last.shape[-1]), result, window, window, pads)

    def _add(self, node: ir.Node):
        sources = (self.last,) if self.nodes else ()
        self.bounds = node_bounds(node, sources, (self.bounds,) if self.nodes else ())
        self.nodes.append(node)
        return self


@pytest.fixture(scope="session")
def build():
    return NetworkBuilder


@pytest.fixture
def compiler(monkeypatch):
    """A compiler, without optimization: small networks compile faster than they are simulated."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ on the PATH: firmware can't be compiled here")
    monkeypatch.setenv("CXXFLAGS", "-O0")


_BRIDGE = """
#include "firmware/net.cpp"
extern "C" {
struct trace_data { const char *name; void *data; };
void allocate_trace_storage(size_t) {}
void collect_trace_output(struct trace_data *) {}
void net_double(double *in, double *out) { net(in, out); }
}
"""


@pytest.fixture
def tiny_project():
    """A function that writes a firmware project of a few lines of C++, compiled in a second, around a body."""

    def write(project, body):
        (project / "firmware" / "ap_types").mkdir(parents=True)
        headers = Path(find_spec("hls4ml").submodule_search_locations[0]) / "templates" / "vivado" / "ap_types"
        shutil.copy(headers / "hls_stream.h", project / "firmware" / "ap_types")
        write_makefile(HlsConfig(), project, "net")
        source = f'#include <cassert>\n#include "hls_stream.h"\nstatic void net(double *in, double *out) {{ {body} }}\n'
        (project / "firmware" / "net.cpp").write_text(source)
        (project / "net_bridge.cpp").write_text(_BRIDGE)
        return project

    return write
