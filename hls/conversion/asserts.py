"""What the sources state, held by the compiler: a `static_assert` for each type, shape and constant of the network.

They are written from the sources once these were compared with the network, so that an edit by hand can't hide in a
value that no test vector reaches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from siliconv.errors import FirmwareError
from siliconv.hls.conversion.firmware_types import StatedType, stated_types
from siliconv.hls.rendering import render
from siliconv.network import graph as ir

_TYPEDEF = re.compile(r"^typedef\s+(?P<text>[^;]+?)\s+(?P<name>\w+);", re.MULTILINE)
_STRUCT = re.compile(r"^struct (?P<name>\w+) : [\w:]+ \{\n(?P<body>.*?)^\};", re.MULTILINE | re.DOTALL)
_CONSTANT = re.compile(
    r"^\s*static const (?:unsigned|int|bool|nnet::\w+) (?P<name>\w+) = (?P<value>-?\d+|true|false|nnet::[\w:]+);",
    re.MULTILINE,
)
_MEMBER = re.compile(r"^\s*typedef (?P<text>\w+) (?P<name>\w+);", re.MULTILINE)


_ROLES = {"accum": "accumulator", "weight": "type of the weights", "bias": "type of the biases"}


class Stated(NamedTuple):
    """Something that the sources state: its name in C++, its value, and whose it is, for the message."""

    name: str
    value: str
    said: str


def asserts_file(top: str) -> str:
    """Name the file with the assertions of a project."""
    return f"{top}_asserts.cpp"


def write_asserts(network: ir.Network, folder: Path) -> None:
    """Write the file of assertions into a generated project, after a comparison with the network.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-CHANGED`` where the sources state another type or shape than the network has.
    """
    types = {one.name: one for one in stated_types(folder, network)}
    for one in types.values():
        if not one.is_kept:
            _refuse(one.layer, f"{one.expected} as {one.role}", str(one.stated))
    parameters = (folder / "firmware" / "parameters.h").read_text(encoding="utf-8")
    text = render(
        "asserts.cpp.j2",
        top=network.name,
        types=[
            Stated(match["name"], match["text"], _said(types.get(match["name"])))
            for match in _TYPEDEF.finditer((folder / "firmware" / "defines.h").read_text(encoding="utf-8"))
        ],
        constants=list(_constants(parameters, network)),
        members=[
            Stated(f"{struct['name']}::{member['name']}", member["text"], _of(_layer(struct["body"], network)))
            for struct in _STRUCT.finditer(parameters)
            for member in _MEMBER.finditer(struct["body"])
        ],
    )
    (folder / asserts_file(network.name)).write_text(text, encoding="utf-8")


def _constants(parameters: str, network: ir.Network) -> Iterator[Stated]:
    for struct in _STRUCT.finditer(parameters):
        layer = _layer(struct["body"], network)
        shapes = _shapes(network, layer) if not struct["name"].endswith("_mult") else {}
        for match in _CONSTANT.finditer(struct["body"]):
            expected = shapes.get(match["name"])
            if expected is not None and match["value"] != str(expected):
                _refuse(layer, f"{match['name']} {expected}", match["value"])
            yield Stated(f"{struct['name']}::{match['name']}", match["value"], _of(layer))


def _shapes(network: ir.Network, layer: str) -> dict[str, int]:
    """Give the sizes that a node's struct has to state, by hls4ml's names for them."""
    node = network.by_name.get(layer)
    if not isinstance(node, ir.Conv):
        return {}
    axes, spatial = ("height", "width")[-len(node.strides) :], node.shape[:-1]
    sizes = {"n_chan": node.kernel.codes.shape[-2], "n_filt": node.shape[-1]}
    for axis, out, window, stride in zip(axes, spatial, node.kernel.codes.shape, node.strides, strict=False):
        sizes |= {f"out_{axis}": out, f"filt_{axis}": window, f"stride_{axis}": stride}
    return sizes


def _layer(body: str, network: ir.Network) -> str:
    """Give the layer of a struct: that of the first type in it which is named after one."""
    owners = (match["text"].rpartition("_")[0].rpartition("_")[0] for match in _MEMBER.finditer(body))
    return next((name for name in owners if name in network.by_name), "")


def _said(one: StatedType | None) -> str:
    return f", the {_ROLES.get(one.role, one.role)} of {one.layer}" if one is not None else ""


def _of(layer: str) -> str:
    return f", of {layer}" if layer else ""


def _refuse(layer: str, given: str, actual: str) -> None:
    raise FirmwareError(
        "FIRMWARE-CHANGED",
        f"hls4ml made {actual} out of {given}",
        where=f"layer '{layer}'",
        fix="this is a defect of the conversion: report it with the project file",
    )
