"""Model files of other people, each from its file to firmware: exact, or refused by name.

Usage: python benchmarks/model_files.py FOLDER [--only NAME...] [--settings FILE] [--json FILE]

FOLDER holds model files: ``NAME.h5``, ``NAME.keras``, or ``NAME.json`` with ``NAME_weights.h5``. Each becomes a project
with random inputs from a seed and no right answers, which is run until the C simulation of its firmware. SETTINGS says
what a project file needs besides, by the name of the file. Of a QKeras file, QKeras' own prediction is compared with
the integer network on 10,000 inputs as well, what float32 rounds counted apart. The rows of docs/models.md are printed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from siliconv import Project
from siliconv.errors import SiliconvError
from siliconv.flow.artefacts import read_json
from siliconv.project.project import load_project

RESULTS = Path(__file__).parent / "results" / "model_files.json"
SETTINGS = Path(__file__).parent / "recipes" / "model_files.json"
SIZES = {"train": 256, "val": 32, "test": 512}
QKERAS_INPUTS = 10_000


def main() -> None:
    """Take every file as far as it goes, print the rows, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="names of files")
    parser.add_argument("--settings", type=Path, default=SETTINGS, help="JSON: sections of a project file by file name")
    parser.add_argument("--json", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    settings = json.loads(arguments.settings.read_text(encoding="utf-8"))
    figures = json.loads(arguments.json.read_text(encoding="utf-8")) if arguments.json.exists() else {}
    for path in model_files(arguments.folder):
        if arguments.only and path.name not in arguments.only:
            continue
        figures[path.name] = taken_as_far_as_it_goes(path, settings.get(path.name, {}))
        print(row(path.name, figures[path.name]), flush=True)
        kept = {name: figures[name] for name in sorted(figures)}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def model_files(folder: Path) -> list[Path]:
    """Give the model files of a folder; files of weights alone belong to a configuration."""
    found = [*folder.glob("*.h5"), *folder.glob("*.keras"), *folder.glob("*.json")]
    return sorted(path for path in found if not path.stem.endswith("_weights"))


def taken_as_far_as_it_goes(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Make a project of a file, run it until its firmware is simulated, and say what was found."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        try:
            found = _simulated(path, settings, folder)
        except SiliconvError as error:
            found = {"outcome": "refused", "code": error.code, "why": error.what}
    return {**found, "seconds": round(time.perf_counter() - started)}


def _simulated(path: Path, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    qkeras = _write_project(path, settings, folder)
    shape = load_project(folder).model.network_shape
    inputs = random_inputs(shape, pixels=bool(settings.get("pixels")))
    np.savez(folder / "data.npz", **inputs)  # type: ignore[arg-type]  # mypy takes the keywords for savez's own
    run = Project(folder).run(until="csim")
    certificate = run.certificate
    assert certificate is not None  # the run reached it
    build = run.build
    keras, lowered = (
        read_json(build / "float" / "keras_agreement.json"),
        read_json(build / "network" / "agreement.json"),
    )
    test = lowered["test_images"]
    logits = np.load(build / "network" / "test_logits.npy")
    found = {
        "outcome": "exact" if certificate.exact else "not exact",
        "kind": "QKeras" if qkeras else "Keras",
        "keras": keras["keras"],
        "float_inputs": sum(keras["inputs"].values()),
        "float_difference": keras["largest_difference"],
        "inputs": len(logits),
        "logits": test["values"],
        "logits_that_differ": test["differing"],
        "different_logits": len(np.unique(logits)),
        "float32_rounds": lowered["float32"]["test_images"]["differing"],
        "vectors": certificate.vectors,
        "layers": len(certificate.layers),
        "values_compared": sum(layer.values for layer in certificate.layers),
        "values_that_differ": sum(layer.firmware_differs for layer in certificate.layers),
    }
    return {**found, "own_prediction": _own_prediction(path)} if qkeras else found


def _write_project(path: Path, settings: Mapping[str, Any], folder: Path) -> bool:
    """Write a project file beside a copy of the model; say whether it is QKeras'."""
    from siliconv.models.architectures.user_model import read_written_model
    from siliconv.models.qkeras_files.qkeras_reading import is_qkeras

    beside = path.with_name(f"{path.stem}_weights.h5") if path.suffix == ".json" else None
    for one in (path, *([beside] if beside is not None else [])):
        shutil.copy(one, folder)
    model = {"file": path.name, **({"weights": beside.name} if beside is not None else {})}
    written = read_written_model(path.name, folder=folder, weights=model.get("weights"))
    qkeras = is_qkeras(written.config)
    own = {} if qkeras else {"train": None, "quantize": {"train": None, "weights": 8, "biases": 16, "activations": 8}}
    project = {
        "model": model,
        "data": {"source": "npz", "path": "data.npz"},
        "task": "none",
        **own,
        "csim": {"images": 8},
        **settings.get("project", {}),
    }
    # JSON is YAML.
    (folder / "project.yml").write_text(json.dumps(project, indent=1), encoding="utf-8")
    return qkeras


def random_inputs(shape: tuple[int, ...], *, pixels: bool) -> dict[str, np.ndarray]:
    """Draw inputs of each split: bytes, or numbers with mean 0 and deviation 1."""
    random, found = np.random.default_rng(0), {}
    for split, size in SIZES.items():
        of_bytes = random.integers(0, 256, (size, *shape)).astype(np.uint8)
        found[f"x_{split}"] = of_bytes if pixels else random.normal(size=(size, *shape)).astype(np.float32)
    return found


def _own_prediction(path: Path) -> dict[str, Any]:
    """Compare QKeras' prediction of a file with the integer network, without a project."""
    from qkeras_networks import files_of, judged

    read, h5 = next((read, h5) for name, read, h5 in files_of(path.parent) if name == path.name)
    return judged(read, QKERAS_INPUTS, h5)


def row(name: str, found: Mapping[str, Any]) -> str:
    """Give the row of a file in docs/models.md."""
    if found["outcome"] == "refused":
        return f"| `{name}` | refused: `{found['code']}`, {found['why']} | | | |"
    own = found.get("own_prediction")
    inputs, apart = (own["inputs"], own["largest_float32_difference"]) if own else (found["inputs"], None)
    logits, differ = (own["outputs"], own["float64_differs"]) if own else (found["logits"], found["logits_that_differ"])
    apart = found["float_difference"] if apart is None else apart
    return f"| `{name}` | {inputs:,} | {apart:.2g} | {differ} of {logits:,} | {found['vectors']}, {found['outcome']} |"


if __name__ == "__main__":
    main()
