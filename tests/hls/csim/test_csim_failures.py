"""A simulation that has no end, crashes, or would have no end in hardware is told as what it is.

The firmware here is a few lines of C++ of our own: what is tested is how its end is seen from outside.
"""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hls.csim import csim
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.progress import PlainLines

pytestmark = pytest.mark.usefixtures("compiler")

SOUND = "for (int i = 0; i < 4; i++) out[i] = in[i];"


@pytest.fixture
def network(build):
    return build((4,)).requantize(FixedPoint(False, 8, 0, Rounding.RND_CONV, Overflow.SAT)).network()


@pytest.fixture
def compiled(tmp_path, tiny_project):
    def compile_firmware(body):
        project = tiny_project(tmp_path / "with a space" / "firmware", body)
        return csim.compile_project(project, "net", tmp_path / "with a space" / "cache")

    return compile_firmware


def vectors(n=5):
    return np.arange(4 * n).reshape(n, 4)


def test_a_sound_one_is_equal_and_its_memory_is_told(compiled, network):
    words = io.StringIO()
    layers = csim.compare(compiled(SOUND), network, vectors(), jobs=1, progress=PlainLines(words))
    assert [(layer.name, layer.values, layer.differing) for layer in layers] == [("requantize_1", 20, 0)]
    assert re.search(r"5/5 vectors.*\d+ MiB a process", words.getvalue())


def test_one_without_an_end_is_ended_and_told_and_the_next_one_runs(compiled, network):
    library = compiled("if (in[0] > 0.2) for (volatile int i = 0;; i++) {} " + SOUND)
    with pytest.raises(WorkSaysNoError, match="CSIM-STUCK") as raised:
        csim.compare(library, network, vectors() + 100, jobs=1, seconds=8)
    assert "8 s" in raised.value.what
    assert raised.value.exit_code == 1
    assert [layer.differing for layer in csim.compare(library, network, vectors(), jobs=2)] == [0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('hls::stream<int> s("layer2_out"); s.read();', "'layer2_out' is read while empty"),
        ('hls::stream<int> s("layer3_out"); s.write(1);', "'layer3_out' contains leftover data"),
    ],
)
def test_a_stream_that_would_stop_in_hardware_is_told(compiled, network, body, words):
    with pytest.raises(WorkSaysNoError, match="CSIM-STREAM") as raised:
        csim.compare(compiled(body + SOUND), network, vectors(), jobs=1)
    assert words in raised.value.what


def test_an_assertion_of_a_template_is_shown(compiled, network):
    with pytest.raises(FirmwareError, match="CSIM-CRASH") as raised:
        csim.compare(compiled('assert(in[0] < 0 && "only linebuffer");'), network, vectors(), jobs=1)
    assert "only linebuffer" in raised.value.what


def test_a_library_that_is_damaged_is_told(network, tmp_path):
    (tmp_path / "net.so").write_bytes(b"no library")
    with pytest.raises(FirmwareError, match="CSIM-LOAD"):
        csim.compare(csim.Library(tmp_path / "net.so", "net", ()), network, vectors(), jobs=1)


def test_images_per_task_are_bounded_by_memory(build):
    wide = build((512, 512, 3)).requantize(FixedPoint(False, 8, 0)).network()
    assert csim._images_per_task(wide) * csim._bytes_per_image(wide) <= csim.BYTES_PER_TASK
    assert csim._images_per_task(build((4, 4, 1)).relu().network()) == csim.MOST_IMAGES_PER_TASK
