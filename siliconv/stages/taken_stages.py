"""The stages of a project whose network is a trained QKeras model: taken as it is, compared with QKeras' prediction.

Nothing is trained, requantized or fine-tuned. Where something has no quantizer, and few bits do not hold it exactly, it
is rounded, and the stage says what that does to the logits.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from siliconv.errors import ModelError, ProjectError
from siliconv.flow.apart import call_apart
from siliconv.flow.artefacts import (
    AGREEMENT_FILE,
    INPUT_FILE,
    TEST_LOGITS_FILE,
    float_outputs,
    judge_of,
    logits_of,
    write_evaluation,
    write_json,
)
from siliconv.flow.flow import Context
from siliconv.flow.taken_artefacts import read_taken, save_taken
from siliconv.models.answers.right_answers import check_answers
from siliconv.models.architectures.architecture import INPUT
from siliconv.models.architectures.keras_config import OF_PIXELS
from siliconv.models.architectures.keras_file import texts_of
from siliconv.models.architectures.ports import input_layer
from siliconv.models.data.image_store import open_dataset, spread
from siliconv.network.fixed_point import PIXEL, Codes, FixedPoint, to_values
from siliconv.progress import Progress
from siliconv.project.taken_project import taken, unquantized
from siliconv.quantize.input_type import fixed_point_of
from siliconv.stages.keras_agreement import MOST_IMAGES, KerasAgreement, directed_rows

if TYPE_CHECKING:
    from siliconv.models.qkeras_files.qkeras_reading import QKerasFile, TakenModel


def take_network(context: Context) -> str:
    """Build the model that was read, and compare it with QKeras' own prediction of the file."""
    from siliconv.quantize.taken.taken_model import taken_model

    project = context.project
    dataset, file = open_dataset(context.build / "data"), taken(project)
    assert file is not None  # the caller looked
    check_answers(project.question, dataset.task, dataset.class_names)
    kind = fixed_point_of(dataset.input)
    if dataset.summary.input.is_pixels and kind == PIXEL and (name := rescales_pixels(file.model)):
        raise ProjectError(
            "PROJECT-VALUE",
            f"layer {name!r} rescales pixels of 0 to 255, and the data give the network k/256",
            where="data.pixel_scale",
            fix="say data: {pixel_scale: 0..255}: the network gets k",
        )
    model = taken_model(file.model, file.weights)
    folder = context.out / "float"
    folder.mkdir()
    codes = dataset.train.read(spread(len(dataset.train), MOST_IMAGES)).astype(np.int64)
    source = project.model.weights_source if project.model.brings_weights else None
    agreement = compare_with_qkeras(file, model, source, codes, kind, progress=context.progress)
    write_json(folder / AGREEMENT_FILE, agreement.as_json())
    save_taken(file.model, file.weights, folder)
    score = write_evaluation(logits_of(model, dataset, context), dataset, folder, judge_of(project, dataset))
    same = f"{agreement.keras} gives the same in every bit on {sum(agreement.inputs.values())} inputs"
    return f"{score.in_words}, a QKeras model taken as it is; {same}"


def rescales_pixels(model: TakenModel) -> str | None:
    """Give the layer at the input by which a model says that it takes pixels of 0 to 255; None where there is none."""
    inputs = {INPUT, *map(input_layer, model.inputs)}
    for layer in model.layers:
        if layer.kind == "Rescaling" and inputs.issuperset(layer.inputs):
            largest = float(np.abs(np.asarray(layer.settings["scale"], np.float64)).max(initial=0.0))
            if largest <= OF_PIXELS:
                return layer.name
    return None


def take_quantized(context: Context) -> str:
    """Keep the model with its own quantizers; what has none is rounded where few bits do not hold it."""
    from siliconv.quantize.taken.taken_model import taken_model
    from siliconv.quantize.taken.unquantized import with_quantizers

    dataset = open_dataset(context.build / "data")
    model, weights = read_taken(context.build / "float")
    found, arrays, rounded = with_quantizers(model, weights, unquantized(context.project))
    folder = context.out / "quantized"
    folder.mkdir()
    save_taken(found, arrays, folder)
    live = taken_model(found, arrays)
    records, zeros = quantizer_records(live)
    rounding = [vars(one) for one in rounded]
    write_json(
        folder / "calibration.json", {"method": "taken", "images": 0, "tensors": records, "unquantized": rounding}
    )
    write_json(folder / "sparsity.json", zeros)
    write_json(folder / INPUT_FILE, asdict(dataset.input))
    logits, judge = logits_of(live, dataset, context), judge_of(context.project, dataset)
    floats = float_outputs(context.build, judge)
    plain = judge.score(judge.outputs(logits[0]), dataset.test, floats)
    score = write_evaluation(
        logits, dataset, folder, judge, floats=floats, value_without_fine_tuning=plain.value, fine_tuned=False
    )
    if not rounded:
        return f"{score.in_words}, by its own quantizers: nothing requantized, nothing fine-tuned"
    before = np.load(context.build / "float" / TEST_LOGITS_FILE, allow_pickle=False)
    off = float(np.abs(before - logits[0]).max(initial=0.0))
    named = ", ".join(f"{one.name} to {one.bits} bits" for one in rounded)
    return f"{score.in_words}; without a quantizer, so rounded: {named} (logits off by {off:.2g})"


def compare_with_qkeras(
    file: QKerasFile, model: Any, source: Path | None, images: Codes, kind: FixedPoint, *, progress: Progress
) -> KerasAgreement:
    """Compare the model that was built of a file with QKeras' own prediction of it: equal in every bit, or refused.

    Parameters
    ----------
    file, model
        What was read, and what was built of it.
    source
        The file with its weights; None for a model that a function made.
    images
        Codes of some inputs, (n, *input shape); such as tell axes and channels apart are added.
    kind
        Type of the input.
    progress
        Told what is done.

    Raises
    ------
    ModelError
        ``MODEL-DIFFERS`` where a single value differs, ``MODEL-KERAS`` where QKeras cannot load the file.
    """
    from siliconv.quantize.taken.own_prediction import BATCH, predict_qkeras

    directed = directed_rows(list(file.model.inputs.values()) or [file.model.input_shape], kind)
    inputs = to_values(np.concatenate([images, np.stack(list(directed.values()))]), kind).astype(np.float32)
    names = [*(f"image {number}" for number in range(len(images))), *directed]
    progress.say("Comparing the model that was read with QKeras' own prediction of the file")
    beside = weights_file(file, source)
    own = call_apart(predict_qkeras, file.config, file.written, beside, inputs, file.ports, progress=progress)
    ours = model.predict(inputs, batch_size=BATCH, verbose=0)
    if not np.isfinite(own).all():
        raise ModelError(
            "MODEL-WEIGHTS",
            f"QKeras itself predicts NaN or infinity for {int((~np.isfinite(own)).sum())} outputs",
            where=str(source or "model"),
            fix="train the model again: some of its weights are no numbers, or much too large",
        )
    if own.shape != ours.shape or not np.array_equal(own, ours):
        apart = np.abs(own - ours).reshape(len(own), -1).max(axis=1) if own.shape == ours.shape else np.zeros(1)
        raise ModelError(
            "MODEL-DIFFERS",
            f"the model that was read and QKeras' own prediction differ by {apart.max():.3g} for the input "
            f"'{names[int(apart.argmax())]}'",
            where=str(source or "model"),
            fix="this is a defect of siliconv, please report it with the file",
        )
    counted = {"images": len(images), **dict.fromkeys(directed, 1)}
    return KerasAgreement(_qkeras(), counted, 0.0, 0.0, 0.0, float(np.abs(own).max(initial=0.0)), None)


def weights_file(file: QKerasFile, source: Path | None) -> Path | None:
    """Give the ``.h5`` file whose weights Keras can read itself: one of the very layers of the configuration.

    A pruning wrapper keeps masks and counts beside the weights of its layer, so a file with some is none.
    """
    import h5py

    if source is None or source.suffix.lower() not in (".h5", ".hdf5") or not h5py.is_hdf5(source):
        return None
    with h5py.File(source, "r") as opened:
        group = opened.get("model_weights", opened)
        names = texts_of(group.attrs.get("layer_names", ()))  # of Keras 3 there are none
        arrays = {name: len(group[name].attrs["weight_names"]) for name in names}
    layers = file.config["config"]
    written = layers["layers"] if isinstance(layers, dict) else layers
    known = {layer["config"]["name"] for layer in written} <= set(names) | _inputs(written)
    alike = all(len(file.written.get(name, ())) == count for name, count in arrays.items())
    return source if known and alike else None


def _inputs(written: list[Any]) -> set[str]:
    return {layer["config"]["name"] for layer in written if layer["class_name"] == "InputLayer"}


def _qkeras() -> str:
    from importlib.metadata import version

    return f"QKeras {version('qkeras')}"


def quantizer_records(model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give for each tensor of weights its quantizer and how it fits, and the zeros of each kernel, for JSON files."""
    from siliconv.quantize.lowering.exact_classes import quantizer_in_words
    from siliconv.quantize.lowering.quantized_weights import quantized

    records, zeros = {}, {}
    for layer in model.layers:
        quantizers = layer.get_quantizers() if hasattr(layer, "get_quantizers") and layer.weights else []
        arrays = layer.get_folded_weights() if hasattr(layer, "get_folded_weights") else layer.weights
        for variable, quantizer in zip(arrays, quantizers, strict=False):
            role = str(getattr(variable, "name", "folded")).split("/")[-1].split(":")[0]
            values = np.asarray(variable)
            if quantizer is None or not values.size:
                continue
            codes = quantized(values, quantizer)
            largest = float(np.abs(codes).max(initial=0.0))
            size = float(np.sqrt(np.mean(np.square(values)))) or 1.0
            records[f"{layer.name}.{role}"] = {
                "type": quantizer_in_words(quantizer),
                "largest": float(np.abs(values).max(initial=0.0)),
                "saturated": float(np.mean(np.abs(values) > largest)) if largest else 0.0,
                "error": float(np.sqrt(np.mean(np.square(codes - values)))) / size,
            }
            if values.ndim > 1:
                zeros[layer.name] = {"zeros": int((codes == 0).sum()), "weights": int(codes.size)}
    return records, zeros
