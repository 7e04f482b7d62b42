"""Bad project files and bad arguments: each a name, what is done to the project, and the commands that meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from trust_project import PROJECT

from siliconv.project.project import ProjectConfig

COMMANDS: dict[str, list[str]] = {
    "check": ["check", "P"],
    "summary": ["summary", "P"],
    "verify": ["verify", "P"],
    "export": ["export", "P", "--qonnx"],
    "fit": ["fit", "P", "--board", "zcu104", "--dry-run"],
    "data": ["run", "P", "--until", "data"],
    "report": ["report", "P"],
    "csim": ["csim", "P"],
    "explain": ["explain", "P"],
    "convert": ["convert", "P", "--json"],
    "estimate": ["estimate", "P", "--json"],
}
"""Every command that takes a project; P stands for its folder."""


@dataclass(frozen=True)
class BadInput:
    """A bad input: what makes it of a project that is whole, and the command that meets it."""

    name: str
    make: Callable[[Path], object]
    command: tuple[str, ...]


def meets(name: str, make: Callable[[Path], object], *commands: str) -> Iterator[BadInput]:
    """Yield one bad input for each command that is to meet it."""
    for command in commands:
        yield BadInput(f"{name}: {command}", make, tuple(COMMANDS[command]))


def project_text(text: str | bytes) -> Callable[[Path], object]:
    """Give what replaces a project's file."""
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return lambda folder: (folder / "project.yml").write_bytes(content)


DEEP = "a: " + "[" * 30_000 + "]" * 30_000
WHOLE_FILES: dict[str, str | bytes] = {
    "empty": "",
    "blank": " \n\t\n",
    "a word": "hello",
    "a list": "- a\n- b\n",
    "a number": "17",
    "null": "null",
    "NUL bytes": b"model:\0 {preset: digits}\n",
    "no UTF-8": b"model: {preset: \xff\xfe}\n",
    "UTF-16": "model: {preset: digits}\n".encode("utf-16"),
    "binary": bytes(range(256)) * 20,
    "a date": "model: {preset: 2024-13-45}\n",
    "a real date": "model: {preset: 2024-12-24}\n",
    "a tag": "model: !!python/object/apply:os.system ['true']\n",
    "an int of letters": "csim: {images: !!int x}\nmodel: {preset: digits}\n",
    "a float of letters": "hls: {clock_ns: !!float x}\nmodel: {preset: digits}\n",
    "an int of 5,000 digits": f"csim: {{images: {'9' * 5000}}}\nmodel: {{preset: digits}}\n",
    "deep lists": DEEP,
    "deep maps": "".join(f"{' ' * depth}a:\n" for depth in range(300)),
    "refers to itself": "model: &a {preset: digits, layers: *a}\n",
    "a list in itself": "data: &a [*a]\nmodel: {preset: digits}\n",
    "an alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)),
    "an unknown alias": "model: *nothing\n",
    "a merge of a list": "model:\n  <<: [1, 2]\n",
    "two documents": "model: {preset: digits}\n---\nmodel: {preset: digits}\n",
    "an open bracket": "model: {preset: digits\n",
    "tabs": "model:\n\tpreset: digits\n",
    "a field twice": "model: {preset: digits}\nmodel: {preset: lecture}\n",
    "keys of all kinds": "1: a\nnull: b\ntrue: c\n1.5: d\nmodel: {preset: digits}\n",
    "a list for a key": "? [a, b]\n: c\nmodel: {preset: digits}\n",
    "a megabyte": "# " + "x" * (1 << 20) + "\nmodel: {preset: digits}\n",
    "a million fields": "x: [" + "1," * 100_000 + "1]\nmodel: {preset: digits}\n",
    "a long word": f"model: {{preset: {'x' * 100_000}}}\n",
    "a newer version": "version: 99\nmodel: {preset: digits}\n",
    "a version of words": "version: new\nmodel: {preset: digits}\n",
    "no model": "data: {source: digits}\n",
    "two models": "model: {preset: digits, file: a.keras}\n",
    "a part that runs": 'model: {preset: digits}\nhls: {part: "x [exec touch /tmp/siliconv-trust]"}\n',
    "a part of lines": 'model: {preset: digits}\nhls: {part: "x\\ny"}\n',
    "code as a model": "model: {file: 'evil:make'}\n",
    "a path for code": "model: {file: '../x:y'}\n",
    "a NUL in a path": 'model: {preset: digits}\ndata: {source: folder, path: "a\\0b"}\n',
    "a long path": f"model: {{preset: digits}}\ndata: {{source: folder, path: {'x' * 5000}}}\n",
    "a long model file": f"model: {{file: {'x' * 5000}.h5}}\n",
    "a model in a loop": "model: {file: loop.h5}\n",
    "a folder for a model": "model: {file: build}\n",
    "/dev/zero for data": "model: {preset: digits}\ndata: {source: npz, path: /dev/zero}\n",
    "/dev/zero for a table": "model: {preset: digits}\ndata: {source: csv, path: /dev/zero}\n",
    "/dev/zero for an array": "model: {preset: digits}\ndata: {source: npy, path: /dev/zero}\n",
    "/dev/zero for HDF5": "model: {preset: digits}\ndata: {source: hdf5, path: /dev/zero}\n",
    "/dev/null for data": "model: {preset: digits}\ndata: {source: npz, path: /dev/null}\n",
    "a model of one pixel": "model: {input_shape: [1, 1, 1], layers: [{kind: dense, units: 1}]}\n",
    "a huge input": "model: {input_shape: [65536, 65536, 3], layers: [{kind: flatten}, {kind: dense, units: 2}]}\n",
    "huge layers": "model: {input_shape: [8, 8, 1], layers: [{kind: flatten}, {kind: dense, units: 65536},"
    " {kind: dense, units: 65536}]}\n",
    "shape of two": "model: {input_shape: [0, 8, 1], layers: [{kind: dense, units: 2}]}\n",
    "no layers": "model: {input_shape: [8, 8, 1], layers: []}\n",
    "layers of words": "model: {input_shape: [8, 8, 1], layers: [a, b]}\n",
    "a kind of list": "model: {input_shape: [8, 8, 1], layers: [{kind: []}]}\n",
    "an input of itself": "model: {input_shape: [8, 8, 1], layers: [{kind: dense, units: 2, name: a, inputs: [a]}]}\n",
}

WEIRD: dict[str, Any] = {
    "null": None,
    "inf": float("inf"),
    "minus inf": float("-inf"),
    "nan": float("nan"),
    "1e300": 1e300,
    "1e-300": 1e-300,
    "minus one": -1,
    "zero": 0,
    "2**63": 2**63,
    "10**400": 10**400,
    "true": True,
    "empty": "",
    "a word": "word",
    "a long word": "w" * 3000,
    "a dollar": "$x_{$",
    "a bracket": "[exec true]",
    "a line": "a\nb",
    "a NUL": "a\0b",
    "half a character": "a\u2028\u0085b",
    "a list": [1, [2, [3]]],
    "a map": {"a": {"b": 1}},
    "a path": "/etc/passwd",
}


def fields(model: type[BaseModel] = ProjectConfig, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every field of a project file by its keys."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        kind = field.annotation
        for inner in (kind, *getattr(kind, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and len(above) < 3:
                yield from fields(inner, (*above, name))


def with_field(keys: Sequence[str], value: Any) -> str:
    """Give the project's text with one field set to a value."""
    content = yaml.safe_load(PROJECT)
    place = content
    for key in keys[:-1]:
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[keys[-1]] = value
    return str(yaml.safe_dump(content))


def bad_texts() -> Iterator[BadInput]:
    """Yield whole project files that are bad, each for commands that look and for one that works."""
    for name, text in WHOLE_FILES.items():
        yield from meets(f"project, {name}", project_text(text), "check", "summary", "fit", "data")


def bad_fields() -> Iterator[BadInput]:
    """Yield each field with each weird value; every one is met by a command that looks."""
    commands = ("check", "summary", "fit", "check", "summary", "fit", "estimate", "summary", "convert")
    for number, keys in enumerate(fields()):
        for other, (name, value) in enumerate(WEIRD.items()):
            make = project_text(with_field(keys, value))
            yield from meets(f"{'.'.join(keys)} {name}", make, commands[(number + other) % len(commands)])


def bad_arguments() -> Iterator[BadInput]:
    """Yield arguments that mean nothing, for every command."""
    long, newline = "x" * 5000, "a\nb"
    for words in (
        *(
            [command, name]
            for command in ("check", "run", "summary", "verify", "predict")
            for name in (long, "", newline)
        ),
        *(["new", name] for name in (long, "", "..", ".", newline, "a\x1b[31mb", "/dev/null/x", "/proc/x/y", "\udcff")),
        ["new", "x", "--preset", long],
        *(["run", "P", "--data", name] for name in (long, "/dev/null", "nowhere", newline, "P/project.yml")),
        *(["run", "P", "--until", name] for name in (long, "", "nothing", newline)),
        *(["predict", "P", name] for name in (long, "nowhere.png", "P", "P/project.yml", "P/images.npz", "/dev/null")),
        *(["fit", "P", "--board", name] for name in (long, "", "nothing", "[/x]")),
        *(
            ["fit", "P", "--board", "zcu104", "--dry-run", option, number]
            for option in ("--fps", "--latency-us", "--clock-ns")
            for number in ("inf", "nan", "-1", "1e300", "1e-300", "0", "x", "9" * 400)
        ),
        *(["explain", "P", "--between", one, "firmware"] for one in (long, "", "firmware", "[/a]")),
        *(
            ["export", "P", "--qonnx", name]
            for name in (long, "P", "P/project.yml", "P/notes.txt", "/dev/full", "/x/y")
        ),
        *(["estimate", "--records", name] for name in (long, "nowhere", "P", "P/project.yml", "/dev/null")),
        *(["calibrate", "--reports", name] for name in (long, "nowhere", "P", "/dev/null")),
        *(["build", "P", "--tool", name] for name in (long, "nowhere", "P", "/dev/null")),
        ["export", "P"],
        ["estimate"],
        ["estimate", "P", "--records", "P"],
        ["nothing"],
        [],
        ["boards", "x"],
        ["doctor", "--nothing"],
    ):
        yield BadInput(f"arguments {' '.join(words)[:60]!r}", lambda folder: None, tuple(words))
