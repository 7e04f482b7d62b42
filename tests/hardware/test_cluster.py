"""Tasks on a Dask cluster of two workers: the outcomes of `run_tasks` in order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from dask_cluster import Cluster
from rtl_designs import skip_without_verilator
from small_network import small_network
from worker_tasks import double, hang
from written_firmware import write_firmware

from siliconv.errors import ProjectError, ToolError
from siliconv.hardware.cluster import connected, run_on_cluster
from siliconv.hardware.workers import StuckTaskError
from siliconv.hls.csim import csim
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.simulation.evidence import simulated_evidence
from siliconv.rtl.writing.rtl_project import write_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    pytest.importorskip("distributed")
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.close()


def test_outcomes_come_in_the_order_of_the_tasks(cluster):
    found = run_on_cluster(double, [(number,) for number in range(20)], cluster.address, seconds=60.0)
    assert [one.result for one in found] == [2 * number for number in range(20)]


def test_a_cluster_compares_what_processes_of_this_machine_do(cluster, compiler, tmp_path):
    network = small_network()
    library = csim.compile_project(write_firmware(network, tmp_path), network.name, tmp_path / "cache")
    codes = np.random.default_rng(0).integers(0, 256, (200, *network.input.shape))
    here = csim.compare(library, network, codes)
    assert csim.compare(library, network, codes, dask=cluster.address) == here
    assert here[-1].values == 200 * network.output.shape[-1]


def test_a_cluster_simulates_the_systemverilog_as_processes_of_this_machine_do(cluster, tmp_path):
    skip_without_verilator()
    network = small_network()
    design = design_of(network, RtlConfig(interval=4))
    (tmp_path / "rtl").mkdir()
    write_project([design], tmp_path / "rtl")
    codes = np.random.default_rng(0).integers(0, 256, (20, *network.input.shape))
    here = simulated_evidence(design, tmp_path / "rtl", codes, tmp_path / "work")
    assert here.exact
    assert simulated_evidence(design, tmp_path / "rtl", codes, tmp_path / "work", dask=cluster.address) == here


def test_workers_that_do_not_see_a_file_refuse(cluster, monkeypatch, tmp_path):
    monkeypatch.setattr("siliconv.hardware.cluster.digest", lambda path: f"of another machine: {path}")
    with pytest.raises(ProjectError, match=r"CLUSTER-WORKER.*does not see this project's files"):
        list(run_on_cluster(double, [(1,)], cluster.address, seconds=60.0, files=[tmp_path / "library.so"]))


def test_a_scheduler_that_is_not_there_is_reported(cluster):
    with pytest.raises(ToolError, match="CLUSTER-DASK"), connected("nowhere"):
        pass


def test_a_task_without_an_end_is_reported(cluster):
    """It stays at it, so this comes last."""
    with pytest.raises(StuckTaskError):
        list(run_on_cluster(hang, [(1,)], cluster.address, seconds=1.0))
