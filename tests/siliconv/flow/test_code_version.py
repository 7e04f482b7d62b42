"""The code behind a stage: what it imports counts, what it does not import does not."""

from __future__ import annotations

import subprocess
import sys

from siliconv.flow import code_version


def test_imports_are_followed_at_any_depth():
    found = code_version._closure(["siliconv.network.reference"])
    assert {"siliconv.network.reference", "siliconv.network.graph", "siliconv.network.fixed_point"} <= found
    assert "siliconv.errors" not in found
    assert not any(name.startswith("siliconv.hls") for name in found)


def test_a_change_of_an_imported_module_changes_the_hash_and_of_another_does_not(monkeypatch, tmp_path):
    before = code_version.code_hash("siliconv.network.reference")
    real = code_version._source_file

    def changed(name):
        if name != target:
            return real(name)
        copy = tmp_path / f"{name}.py"
        copy.write_text(real(name).read_text() + "\n# changed\n")
        return copy

    monkeypatch.setattr(code_version, "_source_file", changed)
    target = "siliconv.network.fixed_point"
    assert code_version.code_hash("siliconv.network.reference") != before
    target = "siliconv.hls.csim.csim"
    assert code_version.code_hash("siliconv.network.reference") == before


def test_templates_count_where_they_are_rendered():
    beside = code_version._files_beside("siliconv.hls.rendering")
    assert any(path.name == "testbench.cpp.j2" for path in beside)


def test_finding_the_version_imports_no_heavy_library():
    script = (
        "import sys; from siliconv.flow.code_version import code_hash; from siliconv.stages.stages import STAGES;"
        "[code_hash(*stage.modules) for stage in STAGES];"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'qkeras', 'hls4ml', 'onnxruntime')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
