"""What every wing's tests share: images, the digits prepared once, a compiler, a project that compiles in a second."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from network_builder import NetworkBuilder

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.written_project import write_makefile
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, open_dataset

ROOT = Path(__file__).resolve().parent.parent
LONGEST = ("test_kills.py", "test_qkeras_project.py", "test_lecture_firmware.py", "test_cli.py")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with faces, cats_dogs, pets_originals and mnist.npz, beside the checkout or where
    SILICONV_SHARED says.
    """
    shared = Path(os.environ.get("SILICONV_SHARED", ROOT.parent / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no test images in {shared / 'data'}; set SILICONV_SHARED to the folder above data/")
    return shared / "data"


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded digits as `prepare` writes them."""
    folder = tmp_path_factory.mktemp("digits")
    prepare(DataConfig(), (8, 8, 1), folder)
    return folder


@pytest.fixture(scope="session")
def digits(digits_folder: Path) -> Dataset:
    """The embedded digits, opened."""
    return open_dataset(digits_folder)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What is remembered of compiled libraries stays out of this user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True)
def _same_initial_weights():
    """Weights that a test leaves to Keras' initializers are the same at every run."""
    if (keras := sys.modules.get("tf_keras")) is not None:
        keras.utils.set_random_seed(1)


@pytest.fixture(autouse=True)
def _no_own_calibration(tmp_path_factory, monkeypatch):
    """Estimates of tests are the package's, whatever this user has measured."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "configuration"))


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take the compiler's fixture compile: `make test-fast` leaves them out.

    The longest files come first: one that is left to the end keeps one core alone.
    """
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
    for item in items:
        if "compiler" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.compiles)
