"""What was lowered of a QKeras model is kept for the next command, and made anew where anything behind it changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_network import small_network

from siliconv.errors import NetworkError
from siliconv.network import network_file
from siliconv.plan import taken_cache
from siliconv.plan.taken_cache import kept_network

MODULE = "siliconv.plan.taken_cache"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


class Maker:
    """Writes a network and counts how often, or raises."""

    def __init__(self, error: NetworkError | None = None) -> None:
        self.times, self.error = 0, error

    def __call__(self, folder: Path) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error
        network_file.save(small_network(), folder / "network")


def model(folder: Path, content: str = "a model") -> Path:
    folder.mkdir()
    (folder / "taken.json").write_text(content)
    return folder


def test_the_second_command_makes_nothing(tmp_path: Path) -> None:
    make = Maker()
    first = kept_network(model(tmp_path / "one"), "8 bits", MODULE, make)
    second = kept_network(model(tmp_path / "two"), "8 bits", MODULE, make)
    assert make.times == 1
    assert [node.name for node in first.nodes] == [node.name for node in second.nodes]


@pytest.mark.parametrize("change", ["model", "said", "code", "library"])
def test_anything_else_is_made_anew(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    kept_network(model(tmp_path / "one"), "8 bits", MODULE, make)
    if change == "library":
        monkeypatch.setattr(taken_cache, "library_version", lambda name: "0.0")
    other = model(tmp_path / "two", "another" if change == "model" else "a model")
    said, module = ("7 bits" if change == "said" else "8 bits"), ("siliconv.errors" if change == "code" else MODULE)
    kept_network(other, said, module, make)
    assert make.times == 2


def test_what_was_refused_is_refused_again_without_work(tmp_path: Path) -> None:
    make = Maker(NetworkError("LOWER-ALPHA", "a scale", where="layer 'a'", fix="another"))
    found = []
    for name in ("one", "two"):
        with pytest.raises(NetworkError, match="LOWER-ALPHA") as caught:
            kept_network(model(tmp_path / name), "", MODULE, make)
        found.append(str(caught.value))
    assert (make.times, found[0]) == (1, found[1])


@pytest.mark.parametrize("damage", ["network.json", "weights.npz", "all"])
def test_what_is_damaged_is_made_anew(damage: str, tmp_path: Path) -> None:
    make = Maker()
    kept_network(model(tmp_path / "one"), "", MODULE, make)
    (kept,) = (tmp_path / "cache" / "siliconv" / "taken").iterdir()
    files = [one for one in kept.rglob("*") if one.is_file() and damage in (one.name, "all")]
    assert files, sorted(kept.rglob("*"))
    for one in files:
        one.write_bytes(b"nothing")
    kept_network(model(tmp_path / "two"), "", MODULE, make)
    assert make.times == 2


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taken_cache, "MOST_KEPT", 2)
    make = Maker()
    for number in range(4):
        kept_network(model(tmp_path / str(number), str(number)), "", MODULE, make)
    assert len(list((tmp_path / "cache" / "siliconv" / "taken").iterdir())) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    make = Maker()
    for name in ("one", "two"):
        assert kept_network(model(tmp_path / name), "", MODULE, make).nodes
    assert make.times == 2
