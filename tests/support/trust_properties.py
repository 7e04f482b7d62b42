"""Bad inputs that Hypothesis draws: texts of project files, and bytes that flip in what lies in a build."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st
from trust_artefacts import BINARY_FILES, JSON_FILES, SOURCES, damaged
from trust_texts import COMMANDS, BadInput, fields, project_text, with_field

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(["digits", "npz", "~"])
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_LOOKING = st.sampled_from(["check", "summary", "fit"])
_READING = st.sampled_from(["verify", "summary", "export", "explain", "report", "csim"])


def text_of_project(data: Any) -> BadInput:
    """Draw a project file: any tree, any text, or the project's with any tree in one of its fields."""
    text = data.draw(
        st.one_of(
            _TREES.map(_dumped),
            st.text(max_size=200),
            st.tuples(st.sampled_from(sorted(fields())), _TREES).map(lambda drawn: with_field(*drawn)),
        )
    )
    return BadInput("drawn project", project_text(text), tuple(COMMANDS[data.draw(_LOOKING)]))


def bytes_of_artefact(data: Any) -> BadInput:
    """Draw a file of the build and bytes of it that are something else."""
    name = data.draw(st.sampled_from([*JSON_FILES, *BINARY_FILES, *SOURCES]))
    return BadInput(f"drawn {name}", damaged(name, _flipped(data)), tuple(COMMANDS[data.draw(_READING)]))


def bytes_of_model(data: Any) -> BadInput:
    """Draw bytes of the model file that are something else."""
    return BadInput("drawn model", damaged("net.h5", _flipped(data)), tuple(COMMANDS[data.draw(_LOOKING)]))


def _flipped(data: Any) -> Any:
    places = data.draw(
        st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=5)
    )
    cut = data.draw(st.none() | st.floats(0, 1))

    def change(old: bytes) -> bytes:
        content = bytearray(old)
        for place, bits in places:
            if content:
                content[int(place * len(content))] ^= bits
        return bytes(content if cut is None else content[: int(cut * len(content))])

    return change


def _dumped(tree: Any) -> str:
    return str(yaml.safe_dump(tree))
