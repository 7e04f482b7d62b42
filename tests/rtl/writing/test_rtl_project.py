"""What a written project holds beside its modules."""

from pathlib import Path

from small_network import small_network

from siliconv.rtl.plan.planning import plan
from siliconv.rtl.writing.rtl_project import write_project

ROOT = Path(__file__).resolve().parents[3]


def test_whoever_gets_it_finds_the_licence(tmp_path):
    write_project([plan(small_network(), {})], tmp_path)
    assert (tmp_path / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert "Apache" in (tmp_path / "NOTICE").read_text()
