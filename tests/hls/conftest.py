"""What firmware tests share: small networks, a compiler, and a project that compiles in a second."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from network_builder import NetworkBuilder

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.written_project import write_makefile


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
