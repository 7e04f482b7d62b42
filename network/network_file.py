"""Save and load an integer network: `network.json` for the graph, `weights.npz` for the integers.

Loading executes nothing: no pickle, no class names looked up outside the list of node kinds, every field, shape,
type and hash checked, nothing unpacked that is larger than the graph announces, and the types proven again.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.errors import DAMAGE, NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, FixedPoint, Interval, parse_type
from siliconv.network.intervals import prove
from siliconv.network.structure import LARGEST_DIMENSION

FORMAT = "siliconv integer network, version 1"
FORMAT_OF_SEVERAL = "siliconv integer network, version 2"
"""Of networks of several inputs or outputs: the names of the outputs stand beside the nodes."""
GRAPH_FILE, WEIGHTS_FILE = "network.json", "weights.npz"
LARGEST_GRAPH_FILE = 1 << 24
LARGEST_ARRAY_HEADER = 1 << 12


def save(network: ir.Network, folder: Path) -> str:
    """Write a network into a folder and return its hash (of graph and weights)."""
    graph, arrays = _contents(network)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / WEIGHTS_FILE, **arrays)  # type: ignore[arg-type]  # keywords are array names
    (folder / GRAPH_FILE).write_text(json.dumps(graph, indent=1) + "\n", encoding="utf-8")
    return str(graph["sha256"])


def network_hash(network: ir.Network) -> str:
    """Give the hash that `save` writes, without writing anything."""
    return str(_contents(network)[0]["sha256"])


def load(folder: Path) -> ir.Network:
    """Read a network back and prove its types again.

    Raises
    ------
    NetworkError
        ``NETWORK-FILE`` if a file is missing, damaged or not what was saved.
    """
    try:
        graph = _read_graph(folder / GRAPH_FILE)
        if graph["format"] not in (FORMAT, FORMAT_OF_SEVERAL):
            raise ValueError(f"the format is {graph['format']!r}, not {FORMAT!r} or {FORMAT_OF_SEVERAL!r}")
        arrays = _read_arrays(folder / WEIGHTS_FILE, graph["nodes"])
        if _hash(graph, arrays) != graph["sha256"]:
            raise ValueError("the hash does not match: a file was changed or is incomplete")
        nodes = tuple(_rebuild(entry, arrays) for entry in graph["nodes"])
        metadata = {
            str(key): tuple(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in graph["metadata"].items()
        }
        ends = tuple(_of(str, name) for name in graph["outputs"]) if graph["format"] == FORMAT_OF_SEVERAL else ()
        network = ir.Network(_of(str, graph["name"]), nodes, metadata, ends)
        if (graph["format"] == FORMAT_OF_SEVERAL) != is_of_several(network):
            raise ValueError(f"{graph['format']!r} for {len(network.inputs)} inputs and {len(network.outputs)} outputs")
        prove(network)
    except NetworkError:
        raise
    except DAMAGE as error:
        raise NetworkError(
            "NETWORK-FILE",
            f"not a readable integer network: {type(error).__name__}: {error}",
            where=str(folder),
            fix="write it again: siliconv run PROJECT --until lower --force",
        ) from error
    return network


def _read_graph(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_GRAPH_FILE:
        raise ValueError(f"{path.name} has more than {LARGEST_GRAPH_FILE} bytes")
    graph: dict[str, Any] = _of(dict, json.loads(path.read_text(encoding="utf-8")))
    return graph


def _read_arrays(path: Path, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Read the arrays that the graph announces, and refuse a file that holds anything more or larger."""
    announced = {
        f"{entry['name']}.{name}": prod(_size(part) for part in value["shape"])
        for entry in nodes
        for name, value in entry.items()
        if isinstance(value, dict)
    }
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        if set(sizes) != {f"{name}.npy" for name in announced}:
            raise ValueError(f"{path.name} holds other arrays than {GRAPH_FILE} announces")
        for name, elements in announced.items():
            if not 0 < elements <= LARGEST_DIMENSION:
                raise ValueError(f"'{name}' has {elements} elements")
            if sizes[f"{name}.npy"] > elements * np.dtype(np.int64).itemsize + LARGEST_ARRAY_HEADER:
                raise ValueError(f"'{name}' is larger than its {elements} elements")
            with archive.open(f"{name}.npy") as member:
                arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
    return arrays


def is_of_several(network: ir.Network) -> bool:
    """Whether a network has several inputs or several outputs."""
    return len(network.inputs) > 1 or len(network.outputs) > 1


def _contents(network: ir.Network) -> tuple[dict[str, Any], dict[str, Codes]]:
    """Give what is written of a network: the graph with its hash, and the arrays by name."""
    arrays: dict[str, Codes] = {}
    nodes = [_describe(node, arrays) for node in network.nodes]
    graph: dict[str, Any] = {"format": FORMAT, "name": network.name, "metadata": dict(network.metadata), "nodes": nodes}
    if is_of_several(network):
        graph |= {"format": FORMAT_OF_SEVERAL, "outputs": [node.name for node in network.outputs]}
    return graph | {"sha256": _hash(graph, arrays)}, arrays


def _describe(node: ir.Node, arrays: dict[str, Codes]) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": type(node).__name__}
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, ir.Weights):
            arrays[f"{node.name}.{item.name}"] = value.codes
            entry[item.name] = {"type": str(value.type), "shape": list(value.codes.shape)}
        elif isinstance(value, FixedPoint):
            entry[item.name] = str(value)
        else:
            entry[item.name] = value
    return entry


def _rebuild(entry: dict[str, Any], arrays: Mapping[str, Any]) -> ir.Node:
    kind = ir.KINDS[entry["kind"]]
    expected = {item.name: item for item in fields(kind)}
    if set(entry) - {"kind"} != set(expected):
        raise ValueError(f"node {entry.get('name')!r} has the fields {sorted(entry)}, expected {sorted(expected)}")
    values: dict[str, Any] = {}
    for name, item in expected.items():
        value = entry[name]
        annotation = str(item.type)
        if annotation == "Weights":
            values[name] = _weights(value, arrays[f"{entry['name']}.{name}"])
        elif annotation == "FixedPoint":
            values[name] = parse_type(value)
        elif annotation == "str":
            values[name] = _of(str, value)
        elif annotation == "bool":
            values[name] = _of(bool, value)
        elif annotation == "tuple[str, ...]":
            values[name] = tuple(_of(str, part) for part in value)
        elif annotation == "Padding":
            values[name] = tuple((_size(before), _size(after)) for before, after in value)
        else:
            values[name] = tuple(_size(part) for part in value)
    return kind(**values)


def _weights(entry: dict[str, Any], codes: Any) -> ir.Weights:
    kind = parse_type(entry["type"])
    if codes.dtype != np.int64 or list(codes.shape) != entry["shape"] or codes.size == 0:
        raise ValueError(f"weights of type {codes.dtype} and shape {codes.shape}, expected int64 {entry['shape']}")
    if not kind.holds(Interval(int(codes.min()), int(codes.max()))):
        raise ValueError(f"weights outside their type {kind}")
    return ir.Weights(codes, kind)


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return value


def _size(value: Any) -> int:
    size: int = _of(int, value)
    if not 0 <= size <= LARGEST_DIMENSION:
        raise ValueError(f"a size of {size}")
    return size


def _hash(graph: Mapping[str, Any], arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    content = {key: value for key, value in graph.items() if key != "sha256"}
    digest.update(json.dumps(content, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
