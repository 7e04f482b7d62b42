"""The stages from images to the integer network: data, train, quantize, lower."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from siliconv.counting import counted, example_word
from siliconv.errors import ProjectError
from siliconv.flow.artefacts import (
    AGREEMENT_FILE,
    IMAGES_PER_READ,
    RANGES_FILE,
    certificate_vectors,
    float_outputs,
    judge_of,
    judged_values,
    load_float_model,
    load_quantized_model,
    logits_of,
    narrow_values,
    network_outputs,
    save_float_model,
    save_quantized_model,
    write_evaluation,
    write_history,
    write_json,
)
from siliconv.flow.flow import Context
from siliconv.models.answers.right_answers import check_answers
from siliconv.models.answers.task import Task
from siliconv.models.architectures.architecture import output_activation
from siliconv.models.data.augmentation import AugmentConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import SPLITS, Dataset, DataSummary, open_dataset, spread
from siliconv.models.data.input_choice import InputChoice
from siliconv.models.training.train_config import TrainConfig
from siliconv.network import network_file
from siliconv.network.rows import rows_of
from siliconv.project.folded_project import write_float_model
from siliconv.project.project import c_identifier
from siliconv.project.taken_project import taken
from siliconv.quantize.input_type import fixed_point_of
from siliconv.stages.pixel_scale import other_scale


def prepare_data(context: Context) -> str:
    """Decode, resize and split the images."""
    project = context.project
    question = project.question
    if question.asked != "auto":
        check_answers(question, question.asked, None)
    if project.model.unit != 1.0 and project.data.pixel_scale != "0..1":
        raise ProjectError(
            "PROJECT-VALUE",
            f"pixel_scale is {project.data.pixel_scale}, and the model file rescales pixels of 0 to 255 itself",
            where="data.pixel_scale",
            fix="leave pixel_scale out",
        )
    summary = prepare(
        project.data,
        project.model.network_shape,
        context.out / "data",
        context.progress,
        question=question,
        percentile=project.percentile,
        unit=project.model.unit,
    )
    sizes = " + ".join(f"{summary.size(split):,}" for split in SPLITS)
    told = f"{sizes} {example_word(summary.shape)}s {_asked(summary)}"
    told += "" if summary.input == InputChoice() else f"; {summary.input.in_words}"
    return f"{told}; {summary.statistics.in_words}" if summary.statistics is not None else told


def _asked(summary: DataSummary) -> str:
    return "; ".join(f"{part.name} {_asked_of(part.task, len(part.names))}" for part in summary.parts) or _asked_of(
        summary.task, len(summary.class_names)
    )


def _asked_of(task: Task, names: int) -> str:
    match task:
        case "classification":
            return f"of {names} classes"
        case "multilabel":
            return f"with {names} labels each"
        case "regression":
            return (
                f"with {names} targets each" if names > 1 else "with a target each" if names else "with maps of targets"
            )
        case "autoencoder":
            return "to be given again" + (f", of {names} classes" if names else "")
        case "none" | "several":
            return "without right answers: bits are compared alone"


def train_network(context: Context) -> str:
    """Train the float network, or take the user's own, and evaluate it."""
    if taken(context.project) is not None:
        from siliconv.stages.taken_stages import take_network

        return take_network(context)
    from siliconv.models.architectures.folding import without_batch_normalization
    from siliconv.models.pictures import learning_curves
    from siliconv.models.training.float_model import train_float

    dataset = open_dataset(context.build / "data")
    project = context.project
    judge = judge_of(project, dataset)
    check_answers(project.question, dataset.task, dataset.class_names)
    folder = context.out / "float"
    folder.mkdir()
    # Before the training, which may take hours.
    brought = project.model.brings_weights or (
        project.train is None and project.model.user_model.keras_model is not None
    )
    read = _compare_with_keras(context, dataset, folder) if brought else ""
    if project.train is None:
        _ = project.initial_weights  # refused where there are none
        trained = project.model.user_model.build()
        file = project.model.file
        how = f"with the weights of {file}, not trained further" if file is not None else "without any weights"
    else:
        trained, history = train_float(
            project.model.architecture,
            dataset,
            project.train,
            work=context.work,
            weights=project.initial_weights,
            progress=context.progress,
        )
        how = f"after {counted(len(history), 'epoch')}"
        learning_curves(history, folder / "learning_curves.png")
        write_history(folder / "history.json", history)
        _draw_augmentation(project.train, dataset, folder / "augmentation.png")
    architecture, model = without_batch_normalization(trained, project.model.architecture)
    save_float_model(architecture, model, folder)
    score = write_evaluation(logits_of(model, dataset, context), dataset, folder, judge)
    hint, kept_as_it_is = "", project.train is None and project.model.unit == 1.0
    if kept_as_it_is and (better := other_scale(model, dataset, judge, score.value)) is not None:
        hint = f"; that is chance, and with data.pixel_scale: {better[0]} it is {better[1]:.4f}"
    return f"{score.in_words} {how}{read}{hint}"


def _compare_with_keras(context: Context, dataset: Dataset, folder: Path) -> str:
    """Compare what was read of the user's file with Keras' own prediction, and keep what was found."""
    from siliconv.models.architectures.folding import without_batch_normalization
    from siliconv.stages.keras_agreement import MOST_IMAGES, compare_with_keras

    model = context.project.model
    _ = context.project.initial_weights  # refused where there are none
    wanted = min(context.project.quantize.calibration_images, MOST_IMAGES)
    images = dataset.train.read(spread(len(dataset.train), wanted))
    kind = fixed_point_of(dataset.input)
    _, deployed = without_batch_normalization(model.user_model.build(), model.architecture)
    user, source = model.user_model, model.source if model.brings_weights else None
    with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
        if model.fold is not None:
            source, weights = write_float_model(model.written, Path(scratch))
            user = replace(user, weights_file=weights)
        found = compare_with_keras(user, deployed, source, images, kind, progress=context.progress)
    write_json(folder / AGREEMENT_FILE, found.as_json())
    folded = "; its quantizers are left out, its batch normalizations folded" if model.fold is not None else ""
    return f"{folded}; {found.in_words}"


def quantize_network(context: Context) -> str:
    """Choose types, round, fine-tune, evaluate."""
    if taken(context.project) is not None:
        from siliconv.stages.taken_stages import take_quantized

        return take_quantized(context)
    from siliconv.models.pictures import learning_curves
    from siliconv.quantize.training.fine_tuning import dropout_of, quantize

    dataset = open_dataset(context.build / "data")
    recipe = context.project.quantize
    found = quantize(
        load_float_model(context.build),
        dataset,
        recipe,
        work=context.work,
        progress=context.progress,
        dropout=dropout_of(recipe, context.project.train),
        function=output_activation(context.project.model.architecture),
    )
    judge = judge_of(context.project, dataset)
    floats = float_outputs(context.build, judge)
    rounded = judge.score(judge.outputs(found.rounded_logits), dataset.test, floats)
    folder = context.out / "quantized"
    folder.mkdir()
    if found.history is not None:
        learning_curves(found.history, folder / "learning_curves.png")
        write_history(folder / "history.json", found.history)
    save_quantized_model(found.model, found.types, found.calibration, folder, dataset.input)
    write_json(
        folder / "sparsity.json",
        {name: {"zeros": zeros, "weights": all_} for name, (zeros, all_) in found.zeros.items()},
    )
    score = write_evaluation(
        logits_of(found.model, dataset, context),
        dataset,
        folder,
        judge,
        floats=floats,
        value_without_fine_tuning=rounded.value,
        fine_tuned=found.history is not None and found.helped,
    )
    how = "rounded, without fine-tuning"
    if found.history is not None:
        epochs = f"{counted(len(found.history), 'epoch')} of fine-tuning"
        before = f"{rounded.value:.4f}" if "accuracy" in rounded.metric else f"{rounded.value:.4g}"
        how = f"after {epochs} ({before} by rounding alone)"
        if not found.helped:
            how = f"by rounding alone: {epochs} did not help on the validation images"
    pruned = f", {found.sparsity:.1%} of the weights are zero" if recipe.pruning is not None else ""
    return f"{score.in_words} {how}{pruned}, types by {found.calibration['method']}"


def lower_network(context: Context) -> str:
    """Lower to the integer network, prove its types, and compare it with QKeras."""
    from siliconv.models.training.prediction import predict_logits
    from siliconv.network.emulator import emulator
    from siliconv.network.explanation.ranges import value_ranges
    from siliconv.quantize.lowering.agreement import agree
    from siliconv.stages.lowered_network import agreement_record, lowered_network
    from siliconv.stages.simplified_network import (
        LOWERED,
        SIMPLIFIED_FILE,
        equal_outputs,
        simplified_network,
        told,
    )

    dataset = open_dataset(context.build / "data")
    judge = judge_of(context.project, dataset)
    model = load_quantized_model(context.build)
    network = lowered_network(
        model,
        name=c_identifier(context.name),
        ports=context.project.model.ports,
        class_names=dataset.class_names if judge.takes_logits else (),
        input_type=fixed_point_of(dataset.input),
    )
    logits, ends = network.decisions, network.outputs
    emulated = emulator.compile(network)
    names = [node.name for node in (*logits, *ends)]
    given = network_outputs(emulated, dataset.test, names, context.progress)
    given_val = network_outputs(emulated, dataset.val, names, context.progress)
    codes, val_codes = rows_of(logits, given), rows_of(logits, given_val)
    smaller, taken_away = network, None
    if context.project.quantize.simplify:
        smaller, taken_away = simplified_network(
            network,
            (
                dataset.test.read(slice(start, start + IMAGES_PER_READ))
                for start in range(0, len(dataset.test), IMAGES_PER_READ)
            ),
        )
    by_origin = certificate_vectors(context.project, smaller, dataset.test, progress=context.progress)
    agreement = agree(
        model,
        lambda: load_quantized_model(context.build),
        network,
        np.concatenate(list(by_origin.values())),
        logits=lambda evaluated: predict_logits(evaluated, dataset.test, context.progress),
        expected=codes,
    ).require_equal()
    if taken_away is not None:
        emulated = emulator.compile(smaller)
    traced = emulated.run(by_origin["test images"], keep=[node.name for node in smaller.nodes])
    folder = context.out / "network"
    network_file.save(smaller, folder)
    if taken_away is not None:
        equal_outputs(network, smaller, by_origin.values())
        network_file.save(network, folder / LOWERED)
        write_json(folder / SIMPLIFIED_FILE, taken_away)
    write_evaluation(
        (narrow_values(logits, codes), narrow_values(logits, val_codes)),
        dataset,
        folder,
        judge,
        outputs=(judged_values(judge, network, given), judged_values(judge, network, given_val))
        if not judge.takes_logits
        else None,
        floats=float_outputs(context.build, judge),
    )
    write_json(folder / "agreement.json", agreement_record(network, agreement))
    write_json(folder / RANGES_FILE, [asdict(found) for found in value_ranges(smaller, traced)])
    simpler = f"; {told(taken_away)}" if taken_away is not None else ""
    return f"{len(network.nodes)} nodes, types proven, {agreement.in_words}{simpler}"


def _draw_augmentation(config: TrainConfig, dataset: Dataset, path: Path) -> None:
    """Draw one training image under each change that the training makes; nothing where it makes none."""
    from siliconv.models.data.augmentation import augmentation_sheet
    from siliconv.models.pictures import image_sheet

    if config.augmentation != AugmentConfig():
        image_sheet(augmentation_sheet(config.augmentation, dataset.train.read([0])[0], seed=config.seed), path)
