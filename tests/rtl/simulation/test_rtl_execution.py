"""The SystemVerilog beside the reference: equal as written, and an edited weight is named where it shows first."""

import pytest
from rtl_designs import skip_without_verilator
from small_network import small_network
from strategies import input_codes

from siliconv.network import reference
from siliconv.network.explanation.first_difference import explain, reference_execution
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.simulation.rtl_execution import rtl_runner
from siliconv.rtl.writing.rtl_project import write_project


@pytest.mark.slow
def test_an_edited_weight_is_the_cause(tmp_path):
    skip_without_verilator()
    network = small_network()
    design, project = plan(network, {}), tmp_path / "rtl"
    project.mkdir()
    write_project([design], project)
    codes = input_codes(network, 1, 6)
    expected = reference_execution(network, reference.run(network, codes))
    assert explain(network, codes, rtl_runner(design, project, tmp_path / "work")(codes), expected).equal
    weights = project / "relu_weights.hex"
    first, *rest = weights.read_text().split()
    weights.write_text("\n".join([f"{int(first, 16) ^ 4:0{len(first)}x}", *rest]) + "\n")
    found = explain(network, codes, rtl_runner(design, project, tmp_path / "work")(codes), expected)
    assert not found.equal
    assert [(cause.code, cause.execution) for cause in found.causes] == [("RTL-EDITED", "rtl")]
    assert "relu_weights.hex: 1 of" in found.causes[0].what
