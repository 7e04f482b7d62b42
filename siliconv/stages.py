"""The eight stages from images to report: each reads the artefacts before it, calls a wing, and writes its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.flow import Context, Stage
from siliconv.models.datasets import prepare, source_fingerprint
from siliconv.models.evaluation import Metrics, evaluate
from siliconv.models.history import History
from siliconv.models.image_store import Dataset, Images, open_dataset
from siliconv.progress import activity
from siliconv.project import Project, c_identifier
from siliconv.quantize import network_file
from siliconv.quantize.fixed_point import Codes, FixedPoint, parse_type, to_values
from siliconv.quantize.network import Conv, Dense, DepthwiseConv, Network, Softmax, Table
from siliconv.report import write_report

ARCHITECTURE_FILE = "architecture.json"
"""The network as it is deployed: batch normalizations folded away."""

IMAGES_PER_READ = 2048

KERAS_LIBRARIES = ("tensorflow", "tf-keras", "qkeras", "numpy")


def _data(context: Context) -> str:
    project = context.project
    summary = prepare(project.data, project.model.architecture.input_shape, context.out / "data", context.progress)
    counts = {split: sum(numbers) for split, numbers in summary.counts.items()}
    return f"{counts['train']} + {counts['val']} + {counts['test']} images of {len(summary.class_names)} classes"


def _train(context: Context) -> str:
    from siliconv.models.float_model import train_float
    from siliconv.models.folding import without_batch_normalization
    from siliconv.models.pictures import learning_curves
    from siliconv.models.weights import save_weights

    dataset = open_dataset(context.build / "data")
    trained, history = train_float(
        context.project.model.architecture,
        dataset,
        context.project.train,
        work=context.work,
        progress=context.progress,
    )
    architecture, model = without_batch_normalization(trained, context.project.model.architecture)
    folder = context.out / "float"
    folder.mkdir()
    (folder / ARCHITECTURE_FILE).write_text(architecture.model_dump_json(indent=1) + "\n", encoding="utf-8")
    save_weights(model, folder / "weights.npz")
    learning_curves(history, folder / "learning_curves.png")
    metrics = _evaluate_model(model, dataset, context)
    _write_history(folder / "history.json", history)
    _write_json(folder / "metrics.json", metrics.as_json())
    return f"test accuracy {metrics.accuracy:.4f} after {len(history)} epochs"


def _quantize(context: Context) -> str:
    from siliconv.models.image_files import to_fraction
    from siliconv.models.pictures import learning_curves
    from siliconv.models.training import fit
    from siliconv.models.weights import save_weights
    from siliconv.quantize.calibration import as_text, choose_types
    from siliconv.quantize.qkeras_model import quantized_model, snap_weights

    dataset = open_dataset(context.build / "data")
    recipe = context.project.quantize
    float_model = load_float_model(context.build)
    chosen = _spread(len(dataset.train), recipe.calibration_images)
    types = choose_types(float_model, recipe, to_fraction(dataset.train.read(chosen)))
    # A network that was trained with less dropout than is written in it is fine-tuned with as little.
    configs = [config for config in (recipe.train, context.project.train) if config is not None]
    dropout = next((config.dropout for config in configs if config.dropout is not None), None)
    model = quantized_model(float_model, types, dropout=dropout)
    rounded = _evaluate_model(model, dataset, context)
    folder = context.out / "quantized"
    folder.mkdir()
    how = "rounded, without fine-tuning"
    if recipe.train is not None:
        rounded_weights, rounded_score = model.get_weights(), _validation_accuracy(model, dataset)
        history = fit(
            model,
            dataset,
            recipe.train,
            work=context.work,
            progress=context.progress,
            activity_name="Fine-tuning",
        )
        how = f"after {len(history)} epochs of fine-tuning ({rounded.accuracy:.4f} by rounding alone)"
        if _validation_accuracy(model, dataset) < rounded_score:
            model.set_weights(rounded_weights)
            how = f"by rounding alone: {len(history)} epochs of fine-tuning did not help on the validation images"
        learning_curves(history, folder / "learning_curves.png")
        _write_history(folder / "history.json", history)
    snap_weights(model)
    save_weights(model, folder / "weights.npz")
    _write_json(folder / "types.json", as_text(types))
    metrics = _evaluate_model(model, dataset, context)
    _write_json(folder / "metrics.json", {**metrics.as_json(), "accuracy_without_fine_tuning": rounded.accuracy})
    return f"test accuracy {metrics.accuracy:.4f} {how}"


def _lower(context: Context) -> str:
    from siliconv.models.architecture import output_activation
    from siliconv.models.prediction import predict_logits
    from siliconv.quantize.agreement import compare_layers, compare_logits
    from siliconv.quantize.function_table import table_error
    from siliconv.quantize.lowering import lower
    from siliconv.quantize.output_sigmoid import with_sigmoid
    from siliconv.quantize.output_softmax import softmax_error, with_softmax

    dataset = open_dataset(context.build / "data")
    model = load_quantized_model(context.build)
    network = lower(model, name=c_identifier(context.name), metadata={"class_names": tuple(dataset.class_names)})
    activation = output_activation(context.project.model.architecture)
    if activation == "sigmoid":
        network = with_sigmoid(network, name="sigmoid")
    elif activation == "softmax":
        network = with_softmax(network, name="softmax")
    logits = network.logits
    codes = _network_logits(network, dataset.test, context)
    quantized = predict_logits(model, dataset.test, context.progress)
    whole = compare_logits(quantized, codes, logits)
    vectors = np.concatenate(list(certificate_vectors(context.project, network, dataset.test).values()))
    layers = compare_layers(model, network, vectors)
    metrics = _metrics(to_values(codes, logits.type), dataset)
    folder = context.out / "network"
    network_file.save(network, folder)
    _write_json(folder / "metrics.json", metrics.as_json())
    _write_json(
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
    verdict = (
        "equal to QKeras in every bit"
        if not differing and not whole.differing
        else (f"QKeras' float32 rounds in {differing} values of the vectors, {whole.differing} logits of the test set")
    )
    return f"{len(network.nodes)} nodes, types proven, {verdict}"


def _convert(context: Context) -> str:
    from siliconv.hls.conversion import convert
    from siliconv.hls.manifest import write_manifest
    from siliconv.hls.network_design import design_of, fifo_depths
    from siliconv.hls.testbench import write_testbench

    network = network_file.load(context.build / "network")
    config = context.project.hls
    folder = context.out / "firmware"
    folder.mkdir()
    firmware = convert(network, config, folder, fifo_depths=fifo_depths(design_of(network, config)))
    dataset = open_dataset(context.build / "data")
    vectors = np.concatenate(list(certificate_vectors(context.project, network, dataset.test).values()))
    write_testbench(network, vectors, folder, stream=config.io_type == "io_stream")
    write_manifest(firmware, network, config, folder)
    weights = sum(
        node.kernel.codes.size + node.bias.codes.size
        for node in network.nodes
        if isinstance(node, Conv | DepthwiseConv | Dense)
    )
    return f"{config.backend} project with {weights:,} weights, {config.io_type}, {config.part}"


def _csim(context: Context) -> str:
    from siliconv.hls.certificate import Accuracies, certify

    network = network_file.load(context.build / "network")
    dataset = open_dataset(context.build / "data")
    certificate = certify(
        context.build / "firmware",
        network,
        certificate_vectors(context.project, network, dataset.test),
        agreement=_read_json(context.build / "network" / "agreement.json"),
        accuracy=Accuracies(
            *(
                float(_read_json(context.build / folder / "metrics.json")["accuracy"])
                for folder in ("float", "quantized", "network")
            )
        ),
        cache=context.work,
        jobs=context.project.csim.jobs,
        progress=context.progress,
    )
    _write_json(context.out / "csim.json", certificate.as_json())
    if certificate.exact:
        return f"EXACT: {certificate.vectors} vectors, {len(certificate.layers)} layers, every bit equal"
    return f"NOT EXACT: first difference in layer '{certificate.first_differing}'"


def _estimate(context: Context) -> str:
    from siliconv.hls.boards import RESOURCES, board_of_part
    from siliconv.hls.design import MatrixLayer
    from siliconv.hls.design import Stage as Synthesis
    from siliconv.hls.estimate import estimate
    from siliconv.hls.network_design import design_of

    network = network_file.load(context.build / "network")
    config = context.project.hls
    design = design_of(network, config)
    found = estimate(design)
    on_device = estimate(design, stage=Synthesis.VSYNTH)
    content = found.as_json()
    content["logic_synthesis"] = {name: getattr(on_device, name).as_json() for name in RESOURCES}
    matrices = {layer.name: layer for layer in design.layers if isinstance(layer, MatrixLayer)}
    for layer in content["layers"]:
        matrix = matrices.get(layer["name"])
        layer |= {
            "reuse_factor": matrix.reuse_factor if matrix else None,
            "multipliers": matrix.multipliers if matrix else 0,
            "weight_bits": matrix.weight_bits if matrix else 0,
        }
    content["part"] = config.part
    board = board_of_part(config.part)
    content["board"] = None
    verdict = ""
    if board is not None:
        used = {name: content["logic_synthesis"][name]["value"] for name in RESOURCES}
        shares = board.shares(used)
        content["board"] = {"name": board.name, "title": board.title, "shares": shares}
        fullest = max(shares, key=lambda name: shares[name])
        verdict = f"; {fullest.upper()} {shares[fullest]:.0%} of {board.title}"
    _write_json(context.out / "estimate.json", content)
    microseconds = found.latency_cycles.value * found.clock_ns / 1000
    return (
        f"{found.latency_cycles.value:,.0f} cycles = {microseconds:,.0f} us, {found.lut.value:,.0f} LUT,"
        f" {found.dsp.value:,.0f} DSP, {found.bram18.value:,.0f} BRAM18 (estimate for C synthesis){verdict}"
    )


def _report(context: Context) -> str:
    stages = [stage.name for stage in STAGES if stage.name != "report"]
    write_report(context.name, context.project, stages, context.build, context.out / "report.html")
    return str(context.build / "report.html")


def load_float_model(build: Path) -> Any:
    """Rebuild the deployed float model (logits) with its trained weights."""
    from siliconv.models.weights import load_weights

    model = _untrained_model(build)
    load_weights(model, build / "float" / "weights.npz")
    return model


def load_quantized_model(build: Path) -> Any:
    """Rebuild the QKeras model (logits) with its fine-tuned weights."""
    from siliconv.models.weights import load_weights
    from siliconv.quantize.qkeras_model import quantized_model

    model = quantized_model(_untrained_model(build), load_types(build))
    load_weights(model, build / "quantized" / "weights.npz")
    return model


def _untrained_model(build: Path) -> Any:
    from siliconv.models.architecture import Architecture
    from siliconv.models.keras_model import build_model

    text = (build / "float" / ARCHITECTURE_FILE).read_text(encoding="utf-8")
    return build_model(Architecture.model_validate_json(text), output="logits")


def load_types(build: Path) -> dict[str, FixedPoint]:
    """Read the types that calibration chose."""
    return {name: parse_type(text) for name, text in _read_json(build / "quantized" / "types.json").items()}


def certificate_vectors(project: Project, network: Network, images: Images) -> dict[str, Codes]:
    """Give the input vectors of the certificate by their origin, each (n, *input shape)."""
    from siliconv.hls.vectors import corner_vectors

    chosen = images.read(_spread(len(images), project.csim.images)).astype(np.int64)
    vectors = {"test images": chosen}
    if project.csim.corner_vectors:
        vectors |= {name: codes[np.newaxis] for name, codes in corner_vectors(network).items()}
    return vectors


def _spread(total: int, wanted: int) -> np.ndarray:
    """Indices spread evenly over a set, all of it if it is smaller; sets may be ordered by class."""
    return np.unique(np.linspace(0, total - 1, min(wanted, total)).round().astype(np.int64))


def _evaluate_model(model: Any, dataset: Dataset, context: Context) -> Metrics:
    from siliconv.models.prediction import predict_logits

    return _metrics(predict_logits(model, dataset.test, context.progress), dataset)


def _validation_accuracy(model: Any, dataset: Dataset) -> float:
    """Accuracy on the validation images, or 0 where there are none: then fine-tuning has the last word."""
    from siliconv.models.prediction import predict_logits

    if not len(dataset.val):
        return 0.0
    return evaluate(predict_logits(model, dataset.val), dataset.val.labels, dataset.class_names).accuracy


def _network_logits(network: Network, images: Images, context: Context) -> Codes:
    """Run the integer network on all images of a set, in bounded memory; (n, outputs)."""
    from siliconv.quantize import emulator

    name, emulated = network.logits.name, emulator.compile(network)
    parts = []
    with activity(context.progress, "Integer network", len(images), "images") as shown:
        for start in range(0, len(images), IMAGES_PER_READ):
            codes = images.read(slice(start, start + IMAGES_PER_READ))
            parts.append(emulated.run(codes, keep=[name])[name])
            shown.update(start + len(codes))
    return np.concatenate(parts)


def _metrics(logits: np.ndarray, dataset: Dataset) -> Metrics:
    return evaluate(logits, dataset.test.labels, dataset.class_names)


def _write_history(path: Path, history: History) -> None:
    """Write the learning curves without the seconds: the same training gives the same file."""
    _write_json(path, [{**epoch, "seconds": None} for epoch in history.as_json()])


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


_NETWORK_CODE = ("siliconv.quantize.network_file", "siliconv.quantize.reference")

STAGES: tuple[Stage, ...] = (
    Stage(
        "data",
        _data,
        outputs=("data",),
        needs=(),
        settings=lambda project: {
            "data": project.data.model_dump(mode="json"),
            "files": source_fingerprint(project.data),
            "input_shape": project.model.architecture.input_shape,
        },
        modules=("siliconv.models.datasets",),
        libraries=("pillow", "scikit-learn", "numpy"),
    ),
    Stage(
        "train",
        _train,
        outputs=("float",),
        needs=("data",),
        settings=lambda project: {
            "architecture": project.model.architecture.model_dump(mode="json"),
            "train": project.train.model_dump(mode="json"),
        },
        modules=("siliconv.models.float_model", "siliconv.models.folding", "siliconv.models.evaluation"),
        libraries=KERAS_LIBRARIES,
    ),
    Stage(
        "quantize",
        _quantize,
        outputs=("quantized",),
        needs=("data", "train"),
        settings=lambda project: {
            "quantize": project.quantize.model_dump(mode="json"),
            "dropout": project.train.dropout,
        },
        modules=("siliconv.quantize.calibration", "siliconv.quantize.qkeras_model", "siliconv.models.training"),
        libraries=KERAS_LIBRARIES,
    ),
    Stage(
        "lower",
        _lower,
        outputs=("network",),
        needs=("data", "quantize"),
        settings=lambda project: project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
        modules=(
            *_NETWORK_CODE,
            "siliconv.quantize.lowering",
            "siliconv.quantize.output_sigmoid",
            "siliconv.quantize.output_softmax",
            "siliconv.quantize.agreement",
            "siliconv.quantize.emulator",
            "siliconv.hls.vectors",
        ),
        libraries=(*KERAS_LIBRARIES, "onnxruntime"),
    ),
    Stage(
        "convert",
        _convert,
        outputs=("firmware",),
        needs=("data", "lower"),
        settings=lambda project: {
            "hls": project.hls.model_dump(mode="json"),
            "csim": project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
        },
        modules=(
            *_NETWORK_CODE,
            "siliconv.hls.conversion",
            "siliconv.hls.network_design",
            "siliconv.hls.own_layers",
            "siliconv.hls.testbench",
            "siliconv.hls.manifest",
            "siliconv.hls.vectors",
        ),
        libraries=("hls4ml",),
    ),
    Stage(
        "csim",
        _csim,
        outputs=("csim.json",),
        needs=("data", "train", "quantize", "lower", "convert"),
        settings=lambda project: project.csim.model_dump(mode="json"),
        modules=(*_NETWORK_CODE, "siliconv.hls.certificate", "siliconv.hls.vectors"),
    ),
    Stage(
        "estimate",
        _estimate,
        outputs=("estimate.json",),
        needs=("lower",),
        settings=lambda project: project.hls.model_dump(mode="json"),
        modules=(*_NETWORK_CODE, "siliconv.hls.network_design", "siliconv.hls.estimate", "siliconv.hls.boards"),
    ),
    Stage(
        "report",
        _report,
        outputs=("report.html",),
        needs=("data", "train", "quantize", "lower", "convert", "csim", "estimate"),
        settings=lambda project: project.model_dump(mode="json"),
        modules=("siliconv.report",),
        libraries=("matplotlib", "jinja2"),
    ),
)
"""In the order of the data."""

STAGE_NAMES = tuple(stage.name for stage in STAGES)
