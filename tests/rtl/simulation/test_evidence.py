"""Evidence from a written project: exact, in the cycles predicted; and not where somebody edited a source."""

import numpy as np
import pytest
from rtl_designs import skip_without_verilator
from small_network import small_network
from strategies import input_codes

from siliconv.errors import ToolError, WorkSaysNoError
from siliconv.hardware.workers import CrashedTaskError, StuckTaskError
from siliconv.progress import Silent
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.simulation import evidence
from siliconv.rtl.simulation.evidence import IMAGES_PER_TASK, simulated_evidence
from siliconv.rtl.writing.rtl_project import write_project

pytestmark = pytest.mark.slow


class Told(Silent):
    """Keeps how many units were done."""

    def __init__(self):
        self.done = []

    def update(self, done, note=""):
        self.done.append(done)


@pytest.fixture
def written(tmp_path):
    """A network, its design, and the folder of the project that was written of it."""
    skip_without_verilator()
    network = small_network()
    design = design_of(network, RtlConfig(interval=4))
    project = tmp_path / "rtl"
    project.mkdir()
    write_project([design], project)
    return network, design, project


@pytest.mark.parametrize("edited", [False, True])
def test_the_sources_on_the_disk_are_what_is_judged(edited, written, tmp_path):
    network, design, project = written
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


def test_images_in_several_simulations_are_all_compared(written, tmp_path):
    network, design, project = written
    images = 2 * IMAGES_PER_TASK + 1
    told = Told()
    codes = input_codes(network, 1, images)
    found = simulated_evidence(design, project, codes, tmp_path / "work", jobs=2, progress=told)
    assert found.exact
    assert found.images == images
    assert {node.name: node.values for node in found.nodes} == {
        name: 2 * images * int(np.prod(network.by_name[name].shape)) for name in ("pixels", "relu")
    }
    assert found.words == 2 * images * sum(stream.words for stream in design.streams)
    assert (found.cycles_differ, found.interval_cycles) == (0, 4)
    assert told.done == [IMAGES_PER_TASK, 2 * IMAGES_PER_TASK, images]
    (project / "relu_weights.hex").write_text("0\n")
    wrong = simulated_evidence(design, project, codes, tmp_path / "work", jobs=2)
    assert 0 < wrong.nodes[-1].differing <= wrong.nodes[-1].values
    assert wrong.nodes[-1].max_abs_difference > 0


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [(StuckTaskError(), WorkSaysNoError, "RTL-STUCK"), (CrashedTaskError("last words"), ToolError, "RTL-RUN")],
)
def test_the_end_of_a_process_is_reported(error, kind, code, written, tmp_path, monkeypatch):
    network, design, project = written

    def ended(*_, **__):
        raise error

    monkeypatch.setattr(evidence, "run_here_or_there", ended)
    with pytest.raises(kind, match=code):
        simulated_evidence(design, project, input_codes(network, 1, 2), tmp_path / "work")
