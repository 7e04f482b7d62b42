"""Whoever gets a generated project finds the licence, and whose work it is."""

from __future__ import annotations

from pathlib import Path

from siliconv.hls.conversion.notices import write_notices

ROOT = Path(__file__).resolve().parents[3]


def test_licence_and_statements_of_the_files_are_there(tmp_path: Path) -> None:
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "ap_int.h").write_text("/*\n * Copyright 2011-2019 Xilinx, Inc.\n */\n")
    (tmp_path / "firmware" / "other.h").write_text("// Copyright (C) 2018 Somebody\n// GNU General Public License\n")
    write_notices(tmp_path, "net")
    assert (tmp_path / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    notice = (tmp_path / "NOTICE").read_text()
    for words in ("hls4ml", "Apache License 2.0", "Copyright 2011-2019 Xilinx, Inc.", "Copyright (C) 2018 Somebody"):
        assert words in notice
    assert "firmware/other.h" in notice.partition("GNU General Public License")[2]
    assert "firmware/ap_int.h" not in notice


def test_a_project_without_other_statements_says_so_by_silence(tmp_path: Path) -> None:
    write_notices(tmp_path, "net")
    assert "GNU" not in (tmp_path / "NOTICE").read_text()
