"""The examples in the docstrings of the Python API run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
from small_network import small_network

import siliconv
import siliconv.api

MODULES = [module.name for module in pkgutil.iter_modules(siliconv.api.__path__, "siliconv.api.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name, tmp_path):
    network = small_network()
    names = {"siliconv": siliconv, "network": network, "images": np.zeros((2, 4), np.uint8), "folder": tmp_path}
    module = importlib.import_module(name)
    done = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert done.failed == 0


def test_there_are_examples():
    found = [example for name in MODULES for example in doctest.DocTestFinder().find(importlib.import_module(name))]
    assert sum(len(one.examples) for one in found) >= 10


def test_the_network_of_docs_python_is_proven_and_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).resolve().parents[3] / "docs" / "python.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"## A network of your own\n\n```python\n(.*?)```", page, re.S)
    exec(compile(example, "docs/python.md", "exec"), {})
    assert (tmp_path / "mine_network" / "network.json").is_file()
