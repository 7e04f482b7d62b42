"""Pre-flight rules about the words of a project file: what is written in it by habit and means nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from siliconv.bounded_reading import UnreadableError
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rules_at
from siliconv.errors import ProjectError
from siliconv.models.architectures.model_source import is_function
from siliconv.project.bounded_yaml import compose, read_project_text
from siliconv.project.project import knows_field

# How hls4ml's configuration says it, in lower case without underscores, and what it is here.
_OF_HLS4ML = {
    "hlsconfig": "its fields stand in the section 'hls'",
    "precision": "types follow from quantize.weights, .biases, .activations and are proven; none is written by hand",
    "defaultprecision": "types follow from quantize.weights, .biases, .activations and are proven",
    "maxprecision": "types follow from quantize.weights, .biases, .activations and are proven",
    "accumt": "accumulators are proven from the weights; none is written by hand",
    "resultt": "types follow from the recipe and are proven; none is written by hand",
    "weightt": "use quantize.weights, or quantize.layers",
    "biast": "use quantize.biases, or quantize.layers",
    "tablet": "tables are made for their whole input, correctly rounded",
    "tablesize": "tables are made for their whole input, correctly rounded",
    "reusefactor": "use hls.reuse_factors, or hls.max_multipliers for all layers",
    "iotype": "use hls.io_type",
    "strategy": "use hls.strategy, or hls.strategies for single layers",
    "bramfactor": "use hls.bram_factor",
    "parallelizationfactor": "use hls.parallelization_factors",
    "clockperiod": "use hls.clock_ns",
    "xilinxpart": "use hls.part",
    "fpgapart": "use hls.part",
    "backend": "use hls.backend",
    "bitexact": "it is always so",
    "layername": "use quantize.layers for bits and hls.reuse_factors for reuse factors",
    "layertype": "use patterns in quantize.layers",
    "fifoopt": "use hls.fifo_depths: smallest",
    "projectname": "the project is called as its folder",
    "outputdir": "the firmware is written into build/firmware",
    "granularity": "every layer is stated, always",
}
_DEPTH_OF_FIELDS = 2
_OF_THE_INPUT = ("input", "inputquantizer", "inputbits", "inputtype", "quantizeinput")


@dataclass(frozen=True, eq=False)
class Written:
    """A project file as it is written, whether or not it means something."""

    path: Path
    tree: yaml.Node | None

    def entries(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Yield where every field stands in words, its keys from the top, and its line."""
        for keys, line in _entries(self.tree, ()):
            yield f"{self.path}:{line}, field {'.'.join(keys)}", keys, line


_field_rule = rules_at(Written.entries)


def read_written(path: Path) -> Written:
    """Read a project file; what is no YAML at all has no fields."""
    try:
        return Written(path, compose(read_project_text(path)))
    except (ProjectError, UnreadableError, yaml.YAMLError):
        return Written(path, None)


def _entries(node: yaml.Node | None, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            inner = (*keys, str(name.value))
            yield inner, name.start_mark.line + 1
            yield from _entries(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _entries(value, (*keys, str(number)))


@rule("FIELD-TWICE", Severity.ERROR)
def field_twice(written: Written) -> Iterator[Complaint]:
    seen: dict[tuple[str, ...], int] = {}
    for where, keys, line in written.entries():
        if keys in seen:
            yield Complaint(
                f"'{keys[-1]}' stands here and in line {seen[keys]}; only the last one counts",
                where,
                "keep one of them",
            )
        seen.setdefault(keys, line)


@_field_rule("FIELD-ALPHA", Severity.ERROR)
def field_alpha(keys: tuple[str, ...], line: int) -> Words:
    if keys[-1] == "alpha" and keys[0] == "quantize":
        yield (
            "a scale alpha that is no power of two has no exact form in hardware",
            "take it out: alpha is 1, and calibration chooses the integer bits instead",
        )


@_field_rule("FIELD-INPUT", Severity.ERROR)
def field_input(keys: tuple[str, ...], line: int) -> Words:
    if keys[0] == "quantize" and len(keys) == 2 and _plain(keys[-1]) in _OF_THE_INPUT:
        yield (
            "the input has a type already: pixels are codes 0 to 255 of ufixed<8,0>, k/256, in training and in "
            "firmware",
            "take it out",
        )


@_field_rule("FIELD-HLS4ML", Severity.ERROR)
def field_hls4ml(keys: tuple[str, ...], line: int) -> Words:
    meant = _OF_HLS4ML.get(_plain(keys[-1]))
    if meant is not None and not knows_field(keys):
        yield f"'{keys[-1]}' is a word of hls4ml's configuration: {meant}", "take it out of here"


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


@rule("MODEL-CODE", Severity.HINT)
def model_code(written: Written) -> Iterator[Complaint]:
    for key, line, value in _scalars(written.tree, ()):
        if key == ("model", "file") and is_function(value):
            yield Complaint(
                f"the network comes from Python code, {value}, which check does not run: nothing is said about layers, "
                "images and firmware",
                f"{written.path}:{line}, field model.file",
                "run it if you trust it (siliconv summary does, and says so), or save its model to a .keras file",
            )
        if key[-1:] == ("loss",) and is_function(value):
            yield Complaint(
                f"the loss is Python code, {value}, which check does not run",
                f"{written.path}:{line}, field {'.'.join(key)}",
                "run it if you trust it: siliconv run does, and says so",
            )


def _scalars(node: yaml.Node | None, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, str]]:
    """Yield the plain values of the sections' own fields."""
    if isinstance(node, yaml.MappingNode) and len(keys) < _DEPTH_OF_FIELDS:
        for name, value in node.value:
            yield from _scalars(value, (*keys, str(name.value)))
    elif isinstance(node, yaml.ScalarNode):
        yield keys, node.start_mark.line + 1, str(node.value)
