"""The stages from images to the integer network: data, train, quantize, lower."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from siliconv.flow.artefacts import (
    AGREEMENT_FILE,
    RANGES_FILE,
    certificate_vectors,
    load_float_model,
    load_quantized_model,
    logits_of,
    metrics_of,
    network_logits,
    save_float_model,
    save_quantized_model,
    write_evaluation,
    write_history,
    write_json,
)
from siliconv.flow.flow import Context
from siliconv.models.architectures.shapes import layer_table
from siliconv.models.data.augmentation import AugmentConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, open_dataset, spread
from siliconv.models.evaluation import check_output
from siliconv.models.training.train_config import TrainConfig
from siliconv.network import network_file
from siliconv.network.fixed_point import to_values
from siliconv.project.project import ProjectConfig, c_identifier
from siliconv.project.taken_project import taken


def prepare_data(context: Context) -> str:
    """Decode, resize and split the images."""
    project = context.project
    if taken(project) is None:
        _check_output(project, None)
    summary = prepare(project.data, project.model.network_shape, context.out / "data", context.progress)
    counts = {split: sum(numbers) for split, numbers in summary.counts.items()}
    return f"{counts['train']} + {counts['val']} + {counts['test']} images of {len(summary.class_names)} classes"


def _check_output(project: ProjectConfig, class_names: tuple[str, ...] | None) -> None:
    """Refuse at once what could not be evaluated after the training."""
    last = layer_table(project.model.architecture)[-1]
    check_output(last.name, last.output_shape, class_names)


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
    _check_output(project, dataset.class_names)
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
        how = f"with the weights of {project.model.file}, not trained further"
    else:
        trained, history = train_float(
            project.model.architecture,
            dataset,
            project.train,
            work=context.work,
            weights=project.initial_weights,
            progress=context.progress,
        )
        how = f"after {len(history)} epochs"
        learning_curves(history, folder / "learning_curves.png")
        write_history(folder / "history.json", history)
        _draw_augmentation(project.train, dataset, folder / "augmentation.png")
    architecture, model = without_batch_normalization(trained, project.model.architecture)
    save_float_model(architecture, model, folder)
    metrics = write_evaluation(logits_of(model, dataset, context), dataset, folder)
    return f"test accuracy {metrics.accuracy:.4f} {how}{read}"


def _compare_with_keras(context: Context, dataset: Dataset, folder: Path) -> str:
    """Compare what was read of the user's file with Keras' own prediction, and keep what was found."""
    from siliconv.models.architectures.folding import without_batch_normalization
    from siliconv.stages.keras_agreement import MOST_IMAGES, compare_with_keras

    model = context.project.model
    _ = context.project.initial_weights  # refused where there are none
    wanted = min(context.project.quantize.calibration_images, MOST_IMAGES)
    images = dataset.train.read(spread(len(dataset.train), wanted))
    _, deployed = without_batch_normalization(model.user_model.build(), model.architecture)
    source = model.source if model.brings_weights else None
    found = compare_with_keras(model.user_model, deployed, source, images, progress=context.progress)
    write_json(folder / AGREEMENT_FILE, found.as_json())
    return f"; {found.in_words}"


def quantize_network(context: Context) -> str:
    """Choose types, round, fine-tune, evaluate."""
    if taken(context.project) is not None:
        from siliconv.stages.taken_stages import take_quantized

        return take_quantized(context)
    from siliconv.models.pictures import learning_curves
    from siliconv.quantize.training.fine_tuning import quantize

    dataset = open_dataset(context.build / "data")
    recipe = context.project.quantize
    # A network that was trained with less dropout than is written in it is fine-tuned with as little.
    configs = [config for config in (recipe.train, context.project.train) if config is not None]
    dropout = next((config.dropout for config in configs if config.dropout is not None), None)
    found = quantize(
        load_float_model(context.build),
        dataset,
        recipe,
        work=context.work,
        progress=context.progress,
        dropout=dropout,
    )
    rounded = metrics_of(found.rounded_logits, dataset)
    folder = context.out / "quantized"
    folder.mkdir()
    if found.history is not None:
        learning_curves(found.history, folder / "learning_curves.png")
        write_history(folder / "history.json", found.history)
    save_quantized_model(found.model, found.types, found.calibration, folder)
    write_json(
        folder / "sparsity.json",
        {name: {"zeros": zeros, "weights": all_} for name, (zeros, all_) in found.zeros.items()},
    )
    metrics = write_evaluation(
        logits_of(found.model, dataset, context),
        dataset,
        folder,
        accuracy_without_fine_tuning=rounded.accuracy,
        fine_tuned=found.history is not None and found.helped,
    )
    how = "rounded, without fine-tuning"
    if found.history is not None:
        epochs = f"{len(found.history)} epochs of fine-tuning"
        how = f"after {epochs} ({rounded.accuracy:.4f} by rounding alone)"
        if not found.helped:
            how = f"by rounding alone: {epochs} did not help on the validation images"
    pruned = f", {found.sparsity:.1%} of the weights are zero" if recipe.pruning is not None else ""
    return f"test accuracy {metrics.accuracy:.4f} {how}{pruned}, types by {found.calibration['method']}"


def _ending(project: ProjectConfig) -> str | None:
    """Give the function behind the logits."""
    from siliconv.models.architectures.architecture import output_activation

    file = taken(project)
    return output_activation(project.model.architecture) if file is None else file.model.ending


def lower_network(context: Context) -> str:
    """Lower to the integer network, prove its types, and compare it with QKeras."""
    from siliconv.models.training.prediction import predict_logits
    from siliconv.network.emulator import emulator
    from siliconv.network.explanation.ranges import value_ranges
    from siliconv.quantize.lowering.agreement import agree
    from siliconv.stages.lowered_network import agreement_record, lowered_network

    dataset = open_dataset(context.build / "data")
    model = load_quantized_model(context.build)
    network = lowered_network(
        model,
        name=c_identifier(context.name),
        output_activation=_ending(context.project),
        class_names=dataset.class_names,
    )
    logits = network.logits
    emulated = emulator.compile(network)
    codes, val_codes = (network_logits(emulated, images, context.progress) for images in (dataset.test, dataset.val))
    by_origin = certificate_vectors(context.project, network, dataset.test, progress=context.progress)
    agreement = agree(
        model,
        lambda: load_quantized_model(context.build),
        network,
        np.concatenate(list(by_origin.values())),
        logits=lambda evaluated: predict_logits(evaluated, dataset.test, context.progress),
        expected=codes,
    ).require_equal()
    traced = emulated.run(by_origin["test images"], keep=[node.name for node in network.nodes])
    folder = context.out / "network"
    network_file.save(network, folder)
    write_evaluation((to_values(codes, logits.type), to_values(val_codes, logits.type)), dataset, folder)
    write_json(folder / "agreement.json", agreement_record(network, agreement))
    write_json(folder / RANGES_FILE, [asdict(found) for found in value_ranges(network, traced)])
    return f"{len(network.nodes)} nodes, types proven, {agreement.in_words}"


def _draw_augmentation(config: TrainConfig, dataset: Dataset, path: Path) -> None:
    """Draw one training image under each change that the training makes; nothing where it makes none."""
    from siliconv.models.data.augmentation import augmentation_sheet
    from siliconv.models.pictures import image_sheet

    if config.augmentation != AugmentConfig():
        image_sheet(augmentation_sheet(config.augmentation, dataset.train.read([0])[0], seed=config.seed), path)
