"""A bit that flips under an old size and time is seen, in small files always, in large ones on request."""

from __future__ import annotations

import os

import pytest

from siliconv.flow import output_state
from siliconv.flow.output_state import actual_hashes, content_hash, file_state


@pytest.fixture
def flipped(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(b"weights")
    recorded = {"weights.npz": content_hash(path)}, {"weights.npz": file_state(path)}
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(b"weightz")
    os.utime(path, ns=times)
    return tmp_path, *recorded


def test_a_flip_in_a_small_file_is_seen(flipped):
    build, outputs, states = flipped
    assert actual_hashes(build, outputs, states) != outputs


def test_a_flip_in_a_large_file_is_seen_by_the_time_of_its_entry(flipped, monkeypatch):
    monkeypatch.setattr(output_state, "READ_BYTES", 0)
    build, outputs, states = flipped
    assert actual_hashes(build, outputs, states) != outputs


def test_a_flip_that_no_program_made_is_seen_on_request(flipped, monkeypatch):
    """Bits that rot on the disk change no time at all."""
    monkeypatch.setattr(output_state, "READ_BYTES", 0)
    build, outputs, _ = flipped
    states = {name: file_state(build / name) for name in outputs}
    assert actual_hashes(build, outputs, states) == outputs
    assert actual_hashes(build, outputs, states, paranoid=True) != outputs
