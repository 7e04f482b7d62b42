"""Only a source that names a function is ever run, and what it does is told as its doing."""

from __future__ import annotations

from pathlib import Path

import pytest

from siliconv.errors import ModelError
from siliconv.models.architectures.model_source import is_function
from siliconv.models.architectures.user_model import load_user_model


@pytest.mark.parametrize("source", ["evil:make", "a.b.c:make_2"])
def test_a_module_and_a_function_are_code(source: str) -> None:
    assert is_function(source)


@pytest.mark.parametrize(
    "source", ["evil:make it", "evil:make:x", "evil:", ":make", "../evil:make", "a b:c", "net.h5", "C:/x"]
)
def test_anything_else_is_a_file_and_nothing_is_imported(source: str, tmp_path: Path) -> None:
    assert not is_function(source)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ModelError, match="MODEL-FILE"):
        load_user_model(source, folder=tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", ["sys.exit(0)", "sys.exit('enough')", "raise SystemExit", "exit()", "1 / 0"])
def test_an_exit_in_it_is_an_error_with_its_name(ending: str, tmp_path: Path) -> None:
    name = f"leaves_{abs(hash(ending))}"
    (tmp_path / f"{name}.py").write_text(f"import sys\ndef make():\n    {ending}\n")
    with pytest.raises(ModelError, match=rf"{name}:make fails: (SystemExit|ZeroDivisionError)") as found:
        load_user_model(f"{name}:make", folder=tmp_path)
    assert found.value.code == "MODEL-FUNCTION"
