"""What the stages leave in a build folder, written and read: models, logits, metrics, histories, test vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ConfigDict
from typing_extensions import TypedDict

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.counting import example_word
from siliconv.errors import ProjectError
from siliconv.flow.flow import Context
from siliconv.flow.taken_artefacts import is_taken, load_taken
from siliconv.models.answers.evaluation import calibrate_threshold, evaluate
from siliconv.models.answers.scores import Score
from siliconv.models.data.image_store import Dataset, Images, spread
from siliconv.models.data.number_type import PIXELS, NumberType
from siliconv.models.training.history import History
from siliconv.models.training.scoring import Judge
from siliconv.network.fixed_point import Codes, FixedPoint, to_values
from siliconv.network.graph import Network, Node
from siliconv.network.reference import FLOAT32_SIGNIFICAND
from siliconv.network.rows import joined, parts_of, rows_of
from siliconv.progress import Progress, activity
from siliconv.project.project import ProjectConfig
from siliconv.quantize.qkeras.quantization import Quantization, parse_quantization

if TYPE_CHECKING:
    from siliconv.models.architectures.architecture import Architecture
    from siliconv.network.emulator.emulator import Emulator

ARCHITECTURE_FILE = "architecture.json"
"""The network as it is deployed: batch normalizations folded away."""

TEST_LOGITS_FILE = "test_logits.npy"
"""Of the float, the quantized and the integer network: the logits of all test images, (n, outputs)."""

PACKED_FILE = "bitstream.json"
"""Which placed SystemVerilog core the bitstream was made of."""

TEST_OUTPUTS_FILE = "test_outputs.npy"
"""Of the integer network where its answers stand behind a table: its outputs for all test images, (n, ...)."""

INPUT_FILE = "input.json"
"""Beside the quantized model: the type of its input."""

RANGES_FILE = "ranges.json"
"""Beside the integer network: the `siliconv.network.explanation.ranges.ValueRange` of each node
on the certificate's test images."""

AGREEMENT_FILE = "keras_agreement.json"
"""Beside the float model, where it was read from a file: how far Keras' own prediction of that file is from it."""

IMAGES_PER_READ = 2048
FLOAT32_PLACES = 100
"""Fewer fractional bits than these, so that no value of 24 bits is beyond float32's exponents."""
JSON_BYTES = 256 << 20


def save_float_model(architecture: Architecture, model: Any, folder: Path) -> None:
    """Write what `load_float_model` reads from ``float/``."""
    from siliconv.models.architectures.weights import save_weights

    (folder / ARCHITECTURE_FILE).write_text(architecture.model_dump_json(indent=1) + "\n", encoding="utf-8")
    save_weights(model, folder / "weights.npz")


def save_quantized_model(
    model: Any,
    types: Mapping[str, Quantization],
    calibration: Mapping[str, Any],
    folder: Path,
    numbers: NumberType = PIXELS,
) -> None:
    """Write what `load_quantized_model` reads from ``quantized/``, and how well the types fit.

    `numbers` is the type of the input.
    """
    from siliconv.models.architectures.weights import save_weights
    from siliconv.quantize.training.calibration import as_text

    save_weights(model, folder / "weights.npz")
    write_json(folder / "types.json", as_text(types))
    write_json(folder / INPUT_FILE, asdict(numbers))
    write_json(folder / "calibration.json", calibration)


def load_float_model(build: Path) -> Any:
    """Rebuild the deployed float model (logits) with its trained weights; a QKeras model that is taken is both."""
    from siliconv.models.architectures.weights import load_weights

    if is_taken(build / "float"):
        return load_taken(build / "float")
    model = _untrained_model(build)
    load_weights(model, build / "float" / "weights.npz")
    return model


def load_quantized_model(build: Path) -> Any:
    """Rebuild the QKeras model (logits) with its fine-tuned weights."""
    from siliconv.models.architectures.weights import load_weights
    from siliconv.quantize.qkeras.qkeras_model import quantized_model

    if is_taken(build / "quantized"):
        return load_taken(build / "quantized")
    model = quantized_model(_untrained_model(build), load_types(build), input_type=load_input_type(build))
    load_weights(model, build / "quantized" / "weights.npz")
    return model


def load_input_type(build: Path) -> FixedPoint:
    """Read the type of the network's input; that of pixels where no data were prepared."""
    from siliconv.quantize.input_type import fixed_point_of

    path = build / "quantized" / INPUT_FILE
    return fixed_point_of(NumberType(**read_json(path)) if path.exists() else PIXELS)


def _untrained_model(build: Path) -> Any:
    from siliconv.models.architectures.architecture import Architecture
    from siliconv.models.architectures.keras_model import build_model

    architecture = Architecture.model_validate(read_json(build / "float" / ARCHITECTURE_FILE))
    return build_model(architecture, output="logits")


def load_types(build: Path) -> dict[str, Quantization]:
    """Read the types that calibration chose."""
    return {name: parse_quantization(text) for name, text in read_json(build / "quantized" / "types.json").items()}


def certificate_vectors(
    project: ProjectConfig, network: Network, images: Images, *, progress: Progress | None = None
) -> dict[str, Codes]:
    """Give the input vectors of the certificate by their origin, each (n, *input shape)."""
    from siliconv.network.vectors.corners import corner_vectors
    from siliconv.network.vectors.directed import directed_vectors

    chosen = images.read(spread(len(images), project.csim.images)).astype(np.int64)
    vectors = {"test images": chosen}
    if project.csim.corner_vectors:
        vectors |= {name: codes[np.newaxis] for name, codes in corner_vectors(network).items()}
        vectors["directed"] = directed_vectors(network, progress=progress)
    return vectors


def logits_of(model: Any, dataset: Dataset, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Run a model on the test and on the validation images: its logits, each (n, outputs)."""
    from siliconv.models.training.prediction import predictor

    predict = predictor(model)
    return predict(dataset.test, context.progress), predict(dataset.val)


def network_outputs(emulated: Emulator, images: Images, names: Sequence[str], progress: Progress) -> dict[str, Codes]:
    """Run the integer network on all images of a set; codes (n, *shape) of these nodes, as narrow as their types."""
    nodes = {name: emulated.network.by_name[name] for name in names}
    result = {name: np.empty((len(images), *node.shape), code_type(node.type)) for name, node in nodes.items()}
    with activity(progress, "Integer network", len(images), f"{example_word(images.shape)}s") as shown:
        for start in range(0, len(images), IMAGES_PER_READ):
            codes = images.read(slice(start, start + IMAGES_PER_READ))
            found = emulated.run(codes, keep=list(nodes))
            for name, whole in result.items():
                whole[start : start + len(codes)] = found[name]
            shown.update(start + len(codes))
    return result


def code_type(kind: FixedPoint) -> Any:
    """Give the narrowest of NumPy's signed integers that holds all codes of a type."""
    return np.result_type(*(np.min_scalar_type(min(end, -1)) for end in (kind.codes.low, -kind.codes.high - 1)))


def narrow_values(nodes: Sequence[Node], rows: Codes) -> np.ndarray:
    """Give the values of many codes of some nodes in half the memory where float32 holds them exactly."""
    return joined([_narrow(part, node.type) for part, node in zip(parts_of(nodes, rows), nodes, strict=True)])


def _narrow(codes: Codes, kind: FixedPoint) -> np.ndarray:
    if kind.width > FLOAT32_SIGNIFICAND or not FLOAT32_PLACES > kind.fraction > -FLOAT32_PLACES:
        return to_values(codes, kind)
    return codes.astype(np.float32) * np.float32(kind.step)


def network_logits(emulated: Emulator, images: Images, progress: Progress) -> Codes:
    """Run the integer network on all images of a set, in bounded memory; its logits, (n, outputs)."""
    nodes = emulated.network.decisions
    return rows_of(nodes, network_outputs(emulated, images, [node.name for node in nodes], progress))


def write_evaluation(
    logits: tuple[np.ndarray, np.ndarray],
    dataset: Dataset,
    folder: Path,
    judge: Judge,
    *,
    outputs: tuple[np.ndarray, np.ndarray] | None = None,
    floats: np.ndarray | None = None,
    **more: float,
) -> Score:
    """Write the logits of the test images, and how good they are, from test and validation logits.

    For two classes and one logit, also with the threshold that is best on the validation images. How good the answers
    on these are stands in ``validation``, where there are any and something says which are right.

    Parameters
    ----------
    logits
        Of the test and of the validation images.
    dataset
        Both, with their right answers.
    folder
        Of the network.
    judge
        What the network is asked.
    outputs
        What the network itself gives for both behind its logits; computed from them by default.
    floats
        What the float network gives, for networks whose right answers nobody knows.
    more
        Further numbers to write.
    """
    test, val = logits
    given, of_val = outputs or (judge.outputs(test), judge.outputs(val) if len(val) else val)
    score = judge.score(given, dataset.test, floats)
    content = {"task": judge.task, "metric": score.metric, "value": score.value, **score.as_json(), **more}
    content |= {"goodness": score.goodness, "interval": score.interval}
    if len(val) and not judge.compares:
        known = judge.score(of_val, dataset.val)
        content["validation"] = {
            **{"value": known.value, "goodness": known.goodness, "interval": known.interval},
            "images": len(dataset.val),
        }
    if judge.task == "classification" and test.shape[1] == 1 and len(val):
        threshold = calibrate_threshold(val, dataset.val.labels)
        calibrated = evaluate(test, dataset.test.labels, dataset.class_names, threshold=threshold)
        content["calibrated"] = {"threshold": threshold, "accuracy": calibrated.accuracy}
    np.save(folder / TEST_LOGITS_FILE, test)
    if outputs is not None:
        np.save(folder / TEST_OUTPUTS_FILE, outputs[0])
    write_json(folder / "metrics.json", content)
    return score


def judge_of(project: ProjectConfig, dataset: Dataset) -> Judge:
    """Give what judges the networks of a project."""
    outputs = project.model.ports.outputs
    return Judge.of(dataset, outputs[0].function if len(outputs) == 1 else None)


def judged_values(judge: Judge, network: Network, tensors: Mapping[str, Codes]) -> np.ndarray:
    """Give what a network itself gives behind its functions, as it is judged: rows of several outputs.

    Outputs that are decided by logits are their logits.
    """
    if not judge.parts:
        return narrow_values(network.outputs, tensors[network.output.name])
    pairs = zip(judge.each, network.decisions, network.outputs, strict=True)
    nodes = [logits if one.takes_logits else output for one, logits, output in pairs]
    return narrow_values(nodes, rows_of(nodes, tensors))


def float_outputs(build: Path, judge: Judge) -> np.ndarray | None:
    """Read what the float network gave for the test images, where other networks are compared with it alone."""
    return judge.outputs(np.load(build / "float" / TEST_LOGITS_FILE)) if judge.compares else None


def write_history(path: Path, history: History) -> None:
    """Write the learning curves without the seconds: the same training gives the same file."""
    found = history.as_json()
    write_json(path, {**found, "epochs": [{**epoch, "seconds": None} for epoch in found["epochs"]]})


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote, or raise `ProjectError` ``BUILD-DAMAGED``."""
    kind: Any = _KINDS.get(path.name, Any)
    try:
        return read_as(path, kind, most=JSON_BYTES, finite=False)
    except UnreadableError as error:
        raise ProjectError(
            "BUILD-DAMAGED",
            f"it is not what siliconv wrote: {error}",
            where=str(path),
            fix="put it back, or have it written again: siliconv run PROJECT --force",
        ) from error


class _Metrics(TypedDict):
    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # as pydantic wants it
    task: str
    metric: str
    value: float


class _Agreement(TypedDict):
    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # as pydantic wants it
    test_images: dict[str, Any] | None
    layers: list[dict[str, Any]]
    tables: dict[str, float]


_KINDS: dict[str, Any] = {
    "types.json": dict[str, str],
    "metrics.json": _Metrics,
    "agreement.json": _Agreement,
    RANGES_FILE: list[dict[str, Any]],
    "csim.json": dict[str, Any],
    "estimate.json": dict[str, Any],
}
"""What each of the files is; the stages that wrote them keep their hashes besides."""
