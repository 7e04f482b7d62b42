"""What is filled in stays a value: in Tcl, Make, C++ and Markdown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.rendering import as_markdown, render
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint

LIVELY = [
    "x [exec true]",
    "x}; exec true; set a {",
    'x" y',
    "x' y",
    "$(true)",
    "x; true",
    "x\ny",
    "x # y",
    "`true`",
    "a\\",
]


@pytest.mark.parametrize("part", [*LIVELY, "", "-option", "x y", "x" * 65])
def test_a_part_is_a_word(part):
    with pytest.raises(ValidationError):
        HlsConfig(part=part)


@pytest.mark.parametrize("part", ["xczu7ev-ffvc1156-2-e", "Arria10", "xcvu13p-flga2577-2-e", "10AX115N2F45E1SG"])
def test_parts_of_all_vendors_are_words(part):
    assert HlsConfig(part=part).part == part


@pytest.mark.parametrize("text", LIVELY)
def test_no_source_is_written_with_a_text_that_would_become_code(text):
    """Whatever road it came on: settings that are copied are not checked again."""
    tools = (("vitis_hls", ("-f",)),)
    values = {
        "top": "net",
        "backend": "Vitis",
        "amd": True,
        "axi": True,
        "includes": (),
        "steps": "csim",
        "tools": tools,
    }
    assert "net" in render("Makefile.j2", part="xc7z020", **values)
    with pytest.raises(FirmwareError, match="FIRMWARE-TEXT"):
        render("Makefile.j2", part=text, **values)


@pytest.mark.parametrize("name", ['a"; b', "a b", "1a", "ä", "a-b"])
def test_a_node_that_is_no_identifier_becomes_no_firmware(name, tmp_path):
    byte = FixedPoint(False, 8, 0)
    network = ir.Network("net", (ir.Input("image", (), (2, 2, 1), byte), ir.Reshape(name, ("image",), (4,), byte)))
    with pytest.raises(FirmwareError, match="FIRMWARE-NAME"):
        convert(network, HlsConfig(), tmp_path)


def test_markdown_shows_a_text_and_does_nothing_else():
    assert as_markdown("a<img src=x onerror=y>") == "a&lt;img src=x onerror=y&gt;"
    assert as_markdown("[x](http://y) *b* `c`\n# d | e") == r"\[x\]\(http://y\) \*b\* \`c\` \# d \| e"
    assert as_markdown("cats & dogs 7") == "cats &amp; dogs 7"
