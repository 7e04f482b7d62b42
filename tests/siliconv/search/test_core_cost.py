"""What a network costs in a core: refused where part of it would be somewhere else."""

import pytest
from network_builder import NetworkBuilder

from siliconv.errors import FirmwareError
from siliconv.hardware.boards import board
from siliconv.project.project import load_project
from siliconv.search.core_cost import Wanted, core_cost


@pytest.mark.parametrize("rate", [None, 1000.0])
def test_a_design_whose_weights_are_outside_the_core_is_no_measure_of_bits(rate, tmp_path):
    network = NetworkBuilder((6, 6, 2)).conv(4, (3, 3)).relu().flatten().dense(3).network()
    wanted = Wanted(board("pynq-z2"), "hls", rate)
    (tmp_path / "project.yml").write_text("model: {preset: digits}\n")
    costs = core_cost(network, load_project(tmp_path), wanted).costs
    assert costs["bram18"] >= 0
    assert costs["images_per_second"] > 0
    (tmp_path / "project.yml").write_text("model: {preset: digits}\nhls: {bram_factor: 100}\n")
    with pytest.raises(FirmwareError) as caught:
        core_cost(network, load_project(tmp_path), wanted)
    assert caught.value.code == "FIT-BRAM"
