"""What needs Keras 2 or hls4ml, as functions of files: they run in a process of their own (`siliconv.flow.apart`).

A folder of a `Firmware` is laid out as a project's build folder: ``float/``, ``quantized/``, ``network/``,
``firmware/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from siliconv.flow.artefacts import (
    AGREEMENT_FILE,
    load_quantized_model,
    network_logits,
    save_float_model,
    save_quantized_model,
    write_json,
)
from siliconv.hls.configuration import HlsConfig
from siliconv.models.answers.task import TaskChoice
from siliconv.models.data.number_type import PIXELS, NumberType
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.progress import Progress
from siliconv.quantize.recipe import Recipe

if TYPE_CHECKING:
    from siliconv.models.architectures.ports import Ports

AGREEMENT_VECTORS = 64
"""Calibration images on which every layer of QKeras and the integer network is compared."""


@dataclass(frozen=True)
class TrainingData:
    """Arrays of images and labels for a fine-tuning, as an ``.npz`` file that `siliconv.models.data.sources` reads."""

    file: Path
    validation: float
    task: TaskChoice = "auto"


@dataclass(frozen=True)
class FineTuned:
    """How a fine-tuning went: the metric on the test images, and whether it helped."""

    rounded: float
    value: float
    metric: str
    epochs: int
    helped: bool


def round_model(
    source: str,
    images: Codes,
    recipe: Recipe,
    name: str,
    folder: Path,
    numbers: NumberType = PIXELS,
    *,
    progress: Progress,
) -> None:
    """Give a Keras file's network the types of a recipe, by rounding alone, and lower it.

    Parameters
    ----------
    source
        As for `siliconv.models.architectures.user_model.load_user_model`; a file by its whole path.
    images
        Codes of calibration inputs, (n, *input shape).
    recipe
        Bits and calibration.
    name
        Of the network, a C identifier.
    folder
        Gets ``float/``, ``quantized/`` and ``network/``.
    numbers
        What the codes mean.
    progress
        Told what is done.

    Raises
    ------
    SiliconvError
        ``MODEL-...``, ``LOWER-...`` with the layer and the fix.
    """
    from siliconv.models.data.image_store import spread
    from siliconv.quantize.input_type import fixed_point_of
    from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
    from siliconv.quantize.training.calibration import choose_types
    from siliconv.quantize.training.calibration_record import calibration_record

    taken = images[spread(len(images), recipe.calibration_images)]
    ports = _save_float(source, taken, folder, progress, numbers)
    float_model = _load_float(folder)
    chosen = numbers.decode(taken)
    types = choose_types(float_model, recipe, chosen)
    model = quantized_model(float_model, types, input_type=fixed_point_of(numbers))
    snap_weights(model)
    (folder / "quantized").mkdir()
    fits = calibration_record(float_model, types, recipe, chosen)
    save_quantized_model(model, types, fits, folder / "quantized", numbers)
    _lower(model, images, name, ports, folder, numbers)


def fine_tune_model(
    source: str, data: TrainingData, recipe: Recipe, name: str, folder: Path, *, progress: Progress
) -> FineTuned:
    """Quantize a Keras file's network by a recipe, fine-tune it, and lower it; for the rest see `round_model`."""
    from siliconv.models.architectures.network_question import question_of
    from siliconv.models.architectures.ports import ports_of
    from siliconv.models.architectures.user_model import load_user_model
    from siliconv.models.data.data_config import DataConfig
    from siliconv.models.data.datasets import prepare
    from siliconv.models.data.image_files import PIXEL_SCALE
    from siliconv.models.data.image_store import open_dataset, spread
    from siliconv.models.training.prediction import predict_logits
    from siliconv.models.training.scoring import Judge
    from siliconv.network import emulator
    from siliconv.network.rows import values_of
    from siliconv.quantize.training.fine_tuning import quantize

    user = load_user_model(source, folder=Path())
    shape = tuple(user.architecture.input_shape)
    ports = ports_of(user.architecture)
    function = ports.outputs[0].function if len(ports.outputs) == 1 else None
    config = DataConfig(source="npz", path=data.file, validation=data.validation)
    prepare(
        config,
        shape,
        folder / "data",
        progress,
        question=question_of(ports, shape, data.task, trains=recipe.train is not None),
        percentile=recipe.percentile if recipe.calibration == "percentile" else None,
        unit=1 / PIXEL_SCALE if user.takes_pixels else 1.0,
    )
    dataset = open_dataset(folder / "data")
    judge = Judge.of(dataset, function)
    images = dataset.train.read(spread(len(dataset.train), recipe.calibration_images))
    ports = _save_float(source, images, folder, progress, dataset.input)
    float_model = _load_float(folder)
    found = quantize(float_model, dataset, recipe, work=folder / ".work", progress=progress, function=function)
    (folder / "quantized").mkdir()
    save_quantized_model(found.model, found.types, found.calibration, folder / "quantized", dataset.input)
    images = dataset.train.read(slice(0, AGREEMENT_VECTORS))
    network = _lower(found.model, images, name, ports, folder, dataset.input)
    codes = network_logits(emulator.compile(network), dataset.test, progress)
    floats = judge.outputs(predict_logits(float_model, dataset.test)) if judge.compares else None
    rounded, tuned = (
        judge.score(judge.outputs(logits), dataset.test, floats)
        for logits in (found.rounded_logits, values_of(network.decisions, codes))
    )
    return FineTuned(
        rounded.value,
        tuned.value,
        tuned.metric,
        len(found.history) if found.history is not None else 0,
        found.helped,
    )


def compare_with_quantized(folder: Path, codes: Codes, *, progress: Progress) -> dict[str, Any]:
    """Compare QKeras and integer network on every layer, for input codes (n, *input shape)."""
    from siliconv.stages.simplified_network import as_lowered

    return _agreement(load_quantized_model(folder), as_lowered(folder / "network"), codes, folder)


def write_firmware(folder: Path, config: HlsConfig, vectors: Codes, *, progress: Progress) -> None:
    """Write ``firmware/`` of the network in a folder, with these input vectors in its test bench."""
    import shutil

    from siliconv.stages.firmware_project import write_firmware_project

    network = network_file.load(folder / "network")
    shutil.rmtree(folder / "firmware", ignore_errors=True)
    (folder / "firmware").mkdir()
    write_firmware_project(network, config, vectors, folder / "firmware", progress)


def _save_float(source: str, images: Codes, folder: Path, progress: Progress, numbers: NumberType) -> Ports:
    """Write the deployed float model into ``float/``, and give the inputs and outputs of the network.

    What was read of the file is compared with Keras' own prediction, on these images and on directed inputs.
    """
    from siliconv.errors import DataError
    from siliconv.models.architectures.folding import without_batch_normalization
    from siliconv.models.architectures.ports import ports_of
    from siliconv.models.architectures.user_model import load_user_model
    from siliconv.models.data.image_store import spread
    from siliconv.quantize.input_type import fixed_point_of
    from siliconv.stages.keras_agreement import MOST_IMAGES, compare_with_keras

    user = load_user_model(source, folder=Path())
    shape = images.shape[1:]
    if tuple(user.architecture.input_shape) != tuple(shape):
        raise DataError(
            "DATA-SHAPE",
            f"images of shape {tuple(shape)} for a network that takes {tuple(user.architecture.input_shape)}",
            where="calibration",
            fix="pass images of the network's input shape, (n, height, width, channels), of several a list",
        )
    architecture, model = without_batch_normalization(user.build(), user.architecture)
    found = compare_with_keras(
        user,
        model,
        Path(source),
        images[spread(len(images), MOST_IMAGES)],
        fixed_point_of(numbers),
        progress=progress,
    )
    (folder / "float").mkdir()
    save_float_model(architecture, model, folder / "float")
    write_json(folder / "float" / AGREEMENT_FILE, found.as_json())
    return ports_of(user.architecture)


def _load_float(folder: Path) -> Any:
    from siliconv.flow.artefacts import load_float_model

    return load_float_model(folder)


def _lower(model: Any, images: Codes, name: str, ports: Ports, folder: Path, numbers: NumberType) -> Any:
    from siliconv.quantize.input_type import fixed_point_of
    from siliconv.stages.lowered_network import lowered_network

    network = lowered_network(model, name=name, ports=ports, input_type=fixed_point_of(numbers))
    agreement = _agreement(model, network, images[:AGREEMENT_VECTORS].astype(np.int64), folder)
    network_file.save(network, folder / "network")
    write_json(folder / "network" / "agreement.json", agreement)
    return network


def _agreement(model: Any, network: Network, codes: Codes, folder: Path) -> dict[str, Any]:
    """Compare the model whose types and weights are in ``quantized/`` with its network, or say where they differ."""
    from siliconv.quantize.lowering.agreement import agree
    from siliconv.stages.lowered_network import agreement_record

    found = agree(model, lambda: load_quantized_model(folder), network, codes).require_equal()
    return agreement_record(network, found)
