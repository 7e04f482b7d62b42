"""The stages from images to the integer network: data, train, quantize, lower."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from siliconv.flow.artefacts import (
    ARCHITECTURE_FILE,
    RANGES_FILE,
    certificate_vectors,
    load_float_model,
    load_quantized_model,
    logits_of,
    metrics_of,
    network_logits,
    write_evaluation,
    write_history,
    write_json,
)
from siliconv.flow.flow import Context
from siliconv.models.data.augmentation import AugmentConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, open_dataset
from siliconv.models.training.train_config import TrainConfig
from siliconv.network import network_file
from siliconv.network.fixed_point import to_values
from siliconv.network.graph import Softmax, Table
from siliconv.project.project import c_identifier


def prepare_data(context: Context) -> str:
    """Decode, resize and split the images."""
    project = context.project
    summary = prepare(project.data, project.model.architecture.input_shape, context.out / "data", context.progress)
    counts = {split: sum(numbers) for split, numbers in summary.counts.items()}
    return f"{counts['train']} + {counts['val']} + {counts['test']} images of {len(summary.class_names)} classes"


def train_network(context: Context) -> str:
    """Train the float network, or take the user's own, and evaluate it."""
    from siliconv.models.architectures.folding import without_batch_normalization
    from siliconv.models.architectures.weights import save_weights
    from siliconv.models.pictures import learning_curves
    from siliconv.models.training.float_model import train_float

    dataset = open_dataset(context.build / "data")
    project = context.project
    folder = context.out / "float"
    folder.mkdir()
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
    (folder / ARCHITECTURE_FILE).write_text(architecture.model_dump_json(indent=1) + "\n", encoding="utf-8")
    save_weights(model, folder / "weights.npz")
    metrics = write_evaluation(logits_of(model, dataset, context), dataset, folder)
    return f"test accuracy {metrics.accuracy:.4f} {how}"


def quantize_network(context: Context) -> str:
    """Choose types, round, fine-tune, evaluate."""
    from siliconv.models.architectures.weights import save_weights
    from siliconv.models.pictures import learning_curves
    from siliconv.quantize.training.calibration import as_text
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
    save_weights(found.model, folder / "weights.npz")
    write_json(folder / "types.json", as_text(found.types))
    write_json(folder / "calibration.json", found.calibration)
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


def lower_network(context: Context) -> str:
    """Lower to the integer network, prove its types, and compare it with QKeras."""
    from siliconv.models.architectures.architecture import output_activation
    from siliconv.models.training.prediction import predict_logits
    from siliconv.network.emulator import emulator
    from siliconv.network.explanation.ranges import value_ranges
    from siliconv.network.function_table import table_error
    from siliconv.network.output_sigmoid import with_sigmoid
    from siliconv.network.output_softmax import softmax_error, with_softmax
    from siliconv.quantize.lowering.agreement import compare_layers, compare_logits
    from siliconv.quantize.lowering.lowering import lower

    dataset = open_dataset(context.build / "data")
    model = load_quantized_model(context.build)
    network = lower(model, name=c_identifier(context.name), metadata={"class_names": tuple(dataset.class_names)})
    activation = output_activation(context.project.model.architecture)
    if activation == "sigmoid":
        network = with_sigmoid(network, name="sigmoid")
    elif activation == "softmax":
        network = with_softmax(network, name="softmax")
    logits = network.logits
    emulated = emulator.compile(network)
    codes, val_codes = (network_logits(emulated, images, context) for images in (dataset.test, dataset.val))
    quantized = predict_logits(model, dataset.test, context.progress)
    whole = compare_logits(quantized, codes, logits)
    by_origin = certificate_vectors(context.project, network, dataset.test)
    layers = compare_layers(model, network, np.concatenate(list(by_origin.values())))
    traced = emulated.run(by_origin["test images"], keep=[node.name for node in network.nodes])
    folder = context.out / "network"
    network_file.save(network, folder)
    write_evaluation((to_values(codes, logits.type), to_values(val_codes, logits.type)), dataset, folder)
    write_json(
        folder / "agreement.json",
        {
            "test_images": whole.as_json(),
            "layers": [layer.as_json() for layer in layers],
            "tables": {
                table.name: table_error(table, network.sources(table)[0].type).last_places
                for table in network.of_kind(Table)
            }
            | {softmax.name: softmax_error(softmax) for softmax in network.of_kind(Softmax)},
        },
    )
    differing = sum(layer.differing for layer in layers)
    write_json(folder / RANGES_FILE, [asdict(found) for found in value_ranges(network, traced)])
    verdict = (
        "equal to QKeras in every bit"
        if not differing and not whole.differing
        else (f"QKeras' float32 rounds in {differing} values of the vectors, {whole.differing} logits of the test set")
    )
    return f"{len(network.nodes)} nodes, types proven, {verdict}"


def _draw_augmentation(config: TrainConfig, dataset: Dataset, path: Path) -> None:
    """Draw one training image under each change that the training makes; nothing where it makes none."""
    from siliconv.models.data.augmentation import augmentation_sheet
    from siliconv.models.pictures import image_sheet

    if config.augmentation != AugmentConfig():
        image_sheet(augmentation_sheet(config.augmentation, dataset.train.read([0])[0], seed=config.seed), path)
