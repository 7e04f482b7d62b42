"""What is changed in hls4ml's templates where they are copied into a project."""

import re
from pathlib import Path

import hls4ml
import pytest

from siliconv.hls.conversion.written_project import (
    TABLE_KERNELS,
    _bind_tables,
    _count_in_place_of_dividing,
    _inline_without_instances,
)
from siliconv.hls.rendering import TEMPLATES as OWN

TEMPLATES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "nnet_utils"


@pytest.mark.parametrize(("name", "fewer"), [("nnet_depthwise_product.h", 1), ("nnet_dense_latency.h", 0)])
def test_inlined_functions_alone_lose_their_instances(tmp_path, name, fewer):
    header = tmp_path / name
    before = (TEMPLATES / name).read_text()
    header.write_text(before)
    _inline_without_instances(header)
    after = header.read_text()
    assert before.count("function_instantiate") - after.count("function_instantiate") == fewer
    kept = [line for line in before.splitlines() if "pragma HLS function_instantiate" not in line]
    assert [line for line in after.splitlines() if "pragma HLS function_instantiate" not in line] == kept


def test_the_index_table_of_a_reuse_loop_is_counted_and_the_same(tmp_path):
    header = tmp_path / "nnet_dense_resource.h"
    header.write_text((TEMPLATES / header.name).read_text())
    _count_in_place_of_dividing(header)
    loop = re.search(r"int outidx\[rufactor\];.*?ReuseLoop:", header.read_text(), re.DOTALL)[0]
    assert "%" not in loop
    # The loop as Python runs it, beside the remainder that it takes the place of.
    for inputs, factor in ((3, 12), (5, 5), (7, 70), (1, 4)):
        step, outstep, found = 0, 0, []
        for _ in range(factor):
            found.append(outstep)
            step += 1
            if step == inputs:
                step, outstep = 0, outstep + 1
        assert found == [number // inputs for number in range(factor)]
    assert "if (++instep == nin) {\n            instep = 0;\n            outstep++;" in loop
    header.write_text("another release")
    with pytest.raises(RuntimeError, match="another release"):
        _count_in_place_of_dividing(header)


@pytest.mark.parametrize("name", TABLE_KERNELS)
def test_tables_of_our_kernels_are_bound_for_each_tool(tmp_path, name):
    header = tmp_path / name
    before = (OWN / "nnet_utils" / name).read_text()
    assert before.count("RESOURCE variable=") >= 2
    header.write_text(before)
    _bind_tables(header)
    after = header.read_text()
    assert "RESOURCE variable=" not in after
    assert after.count("type=rom_np impl=bram") == before.count("core=ROM_nP_BRAM")
