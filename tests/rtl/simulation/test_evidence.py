"""Evidence from a written project: exact, in the cycles predicted; and not where somebody edited a source."""

import pytest
from rtl_designs import skip_without_verilator
from small_network import small_network
from strategies import input_codes

from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.simulation.evidence import simulated_evidence
from siliconv.rtl.writing.rtl_project import write_project

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("edited", [False, True])
def test_the_sources_on_the_disk_are_what_is_judged(edited, tmp_path):
    skip_without_verilator()
    network = small_network()
    design = design_of(network, RtlConfig(interval=4))
    project = tmp_path / "rtl"
    project.mkdir()
    write_project([design], project)
    if edited:
        weights = project / "relu_weights.hex"
        first, *rest = weights.read_text().split()
        weights.write_text("\n".join([f"{int(first, 16) ^ 1:0{len(first)}x}", *rest]) + "\n")
    found = simulated_evidence(design, project, input_codes(network, 1, 6), tmp_path / "work")
    assert found.exact is not edited
    assert found.cycles_differ == 0
    assert (found.images, found.runs, found.interval_cycles) == (6, 2, 4)
    assert {node.name for node in found.nodes} == {"pixels", "relu"}
    assert found.as_json()["exact"] is found.exact
