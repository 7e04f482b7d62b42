"""What is changed in hls4ml's templates where they are copied into a project."""

from pathlib import Path

import hls4ml
import pytest

from siliconv.hls.conversion.written_project import _inline_without_instances

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
