"""C simulation: differences are found and located, compile errors are told, unchanged sources are not recompiled."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from written_firmware import edit_types, write_firmware

from siliconv.certificate.certificate import Accuracies
from siliconv.certificate.certification import certify
from siliconv.errors import FirmwareError, ToolError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.hls.csim import csim
from siliconv.network import reference

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture
def network_and_project(build, tmp_path):
    network = build((8, 4, 2)).conv(4, (3, 3)).relu(6, 3).global_average().dense(3).network()
    return network, write_firmware(network, tmp_path)


def vectors(network, n=5):
    return np.random.default_rng(0).integers(0, 256, (n, *network.input.shape))


def agreement(network):
    layers = [{"name": n.name, "differing": 0, "max_abs_difference": 0.0} for n in network.nodes[1:]]
    return {"layers": layers, "test_images": {"name": "dense_1", "values": 1, "differing": 0}}


def certificate(network, project, cache):
    return certify(
        project,
        network,
        {"random": vectors(network)},
        agreement=agreement(network),
        accuracy=Accuracies(0.9, 0.9, 0.9),
        cache=cache,
        jobs=1,
    )


def test_an_untouched_project_is_certified(network_and_project, tmp_path):
    network, project = network_and_project
    found = certificate(network, project, tmp_path / "cache")
    assert found.exact
    assert found.first_differing is None
    assert found.vectors == 5
    assert [layer.name for layer in found.layers] == [node.name for node in network.nodes[1:]]


def test_one_bit_less_in_an_activation_is_found_at_that_layer(network_and_project, tmp_path):
    network, project = network_and_project
    edit_types(project, r"ap_ufixed<6,3,AP_RND_CONV,AP_SAT,0>", "ap_ufixed<6,3,AP_TRN,AP_SAT,0>")
    found = certificate(network, project, tmp_path / "cache")
    assert not found.exact
    assert found.first_differing == "requantize_1"
    step = network.by_name["requantize_1"].type.step
    layer = next(layer for layer in found.layers if layer.name == "requantize_1")
    assert layer.max_abs_difference == step


def test_the_accumulator_that_hls4ml_would_choose_overflows_in_the_global_average(network_and_project, tmp_path):
    network, project = network_and_project
    edit_types(project, r"typedef ap_u?fixed<\d+,\d+> (global_average_1_accum_t);", r"typedef ap_fixed<16,6> \1;")
    found = certificate(network, project, tmp_path / "cache")
    assert found.first_differing == "global_average_1"


def test_a_difference_between_network_and_qkeras_makes_it_inexact_too(network_and_project, tmp_path):
    network, project = network_and_project
    claim = agreement(network)
    claim["layers"][0] |= {"differing": 1, "max_abs_difference": 0.5}
    found = certify(
        project,
        network,
        {"random": vectors(network)},
        agreement=claim,
        accuracy=Accuracies(0.9, 0.9, 0.9),
        cache=tmp_path / "cache",
        jobs=1,
    )
    assert not found.exact
    assert found.first_differing == "conv_1"


def test_unchanged_sources_are_not_compiled_again_and_changed_ones_are(network_and_project, tmp_path):
    network, project = network_and_project
    first = csim.compile_project(project, network.name, tmp_path / "cache")
    time = first.path.stat().st_mtime_ns
    assert csim.compile_project(project, network.name, tmp_path / "cache").path.stat().st_mtime_ns == time
    edit_types(project, r"AP_RND_CONV", "AP_RND")
    second = csim.compile_project(project, network.name, tmp_path / "cache")
    assert second.path != first.path


def test_a_compile_error_shows_the_compilers_first_message(network_and_project, tmp_path):
    network, project = network_and_project
    edit_types(project, r"typedef", "tyqedef")
    with pytest.raises(FirmwareError) as raised:
        csim.compile_project(project, network.name, tmp_path / "cache")
    assert raised.value.code == "CSIM-COMPILE"
    assert "tyqedef" in raised.value.what


def test_without_a_compiler_the_error_says_what_to_install(network_and_project, tmp_path, monkeypatch):
    network, project = network_and_project
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as raised:
        csim.compile_project(project, network.name, tmp_path / "cache")
    assert raised.value.code == "TOOL-GXX"
    assert raised.value.exit_code == 3


def test_processes_give_what_one_process_gives(network_and_project, tmp_path):
    network, project = network_and_project
    library = csim.compile_project(project, network.name, tmp_path / "cache")
    codes = vectors(network, 11)
    assert csim.compare(library, network, codes, jobs=2) == csim.compare(library, network, codes, jobs=1)


def run_testbench(project):
    return subprocess.run(["make", "-f", "Makefile", "csim"], cwd=project, capture_output=True, text=True, check=False)


def test_the_test_bench_passes_and_fails_on_a_difference_and_on_missing_vectors(network_and_project):
    network, project = network_and_project
    codes = vectors(network)
    write_testbench(network, codes, project, HlsConfig())
    passed = run_testbench(project)
    assert passed.returncode == 0, passed.stderr
    assert "PASS: 5 vectors" in passed.stdout
    golden = project / "tb_data" / "golden_codes.dat"
    expected = reference.run(network, codes)["dense_1"]
    original = golden.read_text()
    golden.write_text(original.replace(str(expected[3, 1]), str(expected[3, 1] + 1), 1))
    failed = run_testbench(project)
    assert failed.returncode != 0
    assert "FAIL" in failed.stderr
    golden.write_text(original.rsplit("\n", 2)[0])
    assert run_testbench(project).returncode != 0
    golden.unlink()
    assert run_testbench(project).returncode != 0


def test_a_parallel_test_bench_passes_too(build, tmp_path):
    network = build((4, 4, 1)).conv(2, (3, 3)).relu().flatten().dense(2).network()
    config = HlsConfig(io_type="io_parallel")
    convert(network, config, tmp_path)
    write_testbench(network, vectors(network), tmp_path, config)
    done = run_testbench(tmp_path)
    assert done.returncode == 0, done.stderr
