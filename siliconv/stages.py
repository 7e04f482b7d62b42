"""The eight stages from images to report: each reads the artefacts before it, calls a wing, and writes its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.calibration_file import CALIBRATION_FILE, calibrated, user_calibration
from siliconv.flow import Context, Stage
from siliconv.models.augmentation import AugmentConfig
from siliconv.models.datasets import prepare, source_fingerprint
from siliconv.models.evaluation import Metrics, calibrate_threshold, evaluate
from siliconv.models.history import History
from siliconv.models.image_store import Dataset, Images, open_dataset, spread
from siliconv.models.keras_file import Weights
from siliconv.models.train_config import TrainConfig
from siliconv.progress import activity
from siliconv.project import Project, c_identifier
from siliconv.quantize import network_file
from siliconv.quantize.fixed_point import Codes, to_values
from siliconv.quantize.network import Conv, Dense, DepthwiseConv, Network, Softmax, Table
from siliconv.quantize.weight_levels import Quantization, parse_quantization
from siliconv.report import write_report
from siliconv.report_pictures import TEST_LOGITS_FILE, draw_pictures
from siliconv.synthesis_file import SYNTHESIS_FILE, synthesis_results

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
        _write_history(folder / "history.json", history)
        _draw_augmentation(project.train, dataset, folder / "augmentation.png")
    architecture, model = without_batch_normalization(trained, project.model.architecture)
    (folder / ARCHITECTURE_FILE).write_text(architecture.model_dump_json(indent=1) + "\n", encoding="utf-8")
    save_weights(model, folder / "weights.npz")
    metrics = _write_evaluation(_logits_of(model, dataset, context), dataset, folder)
    return f"test accuracy {metrics.accuracy:.4f} {how}"


def _quantize(context: Context) -> str:
    from siliconv.models.pictures import learning_curves
    from siliconv.models.weights import save_weights
    from siliconv.quantize.calibration import as_text
    from siliconv.quantize.fine_tuning import quantize

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
    rounded = _metrics(found.rounded_logits, dataset)
    folder = context.out / "quantized"
    folder.mkdir()
    if found.history is not None:
        learning_curves(found.history, folder / "learning_curves.png")
        _write_history(folder / "history.json", found.history)
    save_weights(found.model, folder / "weights.npz")
    _write_json(folder / "types.json", as_text(found.types))
    _write_json(folder / "calibration.json", found.calibration)
    _write_json(
        folder / "sparsity.json",
        {name: {"zeros": zeros, "weights": all_} for name, (zeros, all_) in found.zeros.items()},
    )
    metrics = _write_evaluation(
        _logits_of(found.model, dataset, context),
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
    val_codes = _network_logits(network, dataset.val, context)
    quantized = predict_logits(model, dataset.test, context.progress)
    whole = compare_logits(quantized, codes, logits)
    vectors = np.concatenate(list(certificate_vectors(context.project, network, dataset.test).values()))
    layers = compare_layers(model, network, vectors)
    folder = context.out / "network"
    network_file.save(network, folder)
    _write_evaluation((to_values(codes, logits.type), to_values(val_codes, logits.type)), dataset, folder)
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
    from siliconv.hls.axi import write_axi
    from siliconv.hls.conversion import convert
    from siliconv.hls.manifest import write_manifest
    from siliconv.hls.network_design import design_of, fifo_depths
    from siliconv.hls.project_readme import write_readme
    from siliconv.hls.testbench import write_testbench

    network = network_file.load(context.build / "network")
    config = context.project.hls
    folder = context.out / "firmware"
    folder.mkdir()
    firmware = convert(network, config, folder, fifo_depths=fifo_depths(design_of(network, config)))
    dataset = open_dataset(context.build / "data")
    vectors = np.concatenate(list(certificate_vectors(context.project, network, dataset.test).values()))
    write_testbench(network, vectors, folder, stream=config.io_type == "io_stream")
    write_axi(network, config, folder)
    write_readme(firmware, network, config, vectors=len(vectors))
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
        artefacts=[
            context.build / name
            for name in ("network/network.json", "network/weights.npz", "quantized/weights.npz", "quantized/types.json")
        ],
        jobs=context.project.csim.jobs,
        seconds=context.project.csim.timeout_s,
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
    from siliconv.hls.synthesis_results import beside

    network = network_file.load(context.build / "network")
    config = context.project.hls
    design = design_of(network, config)
    coefficients, calibration = calibrated(context.build.parent)
    found = estimate(design, coefficients=coefficients)
    on_device = estimate(design, stage=Synthesis.VSYNTH, coefficients=coefficients)
    content = {**found.as_json(), "calibration": calibration}
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
    kind = "estimate for C synthesis"
    results = synthesis_results(context.build, network, config)
    if results is not None:
        content = beside(content, results)
        kind = f"reported by {results.tool}" + (" and Vivado" if results.source == "vsynth" else "")
    _write_json(context.out / "estimate.json", content)
    cycles, lut, dsp, bram18 = (content[name]["value"] for name in ("latency_cycles", "lut", "dsp", "bram18"))
    return (
        f"{cycles:,.0f} cycles = {cycles * found.clock_ns / 1000:,.0f} us, {lut:,.0f} LUT,"
        f" {dsp:,.0f} DSP, {bram18:,.0f} BRAM18 ({kind}){verdict}"
    )


def _report(context: Context) -> str:
    stages = [stage.name for stage in STAGES if stage.name != "report"]
    pictures = context.out / "pictures"
    draw_pictures(context.build, pictures)
    write_report(context.name, context.project, stages, context.build, pictures, context.out / "report.html")
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


def load_types(build: Path) -> dict[str, Quantization]:
    """Read the types that calibration chose."""
    return {name: parse_quantization(text) for name, text in _read_json(build / "quantized" / "types.json").items()}


def certificate_vectors(project: Project, network: Network, images: Images) -> dict[str, Codes]:
    """Give the input vectors of the certificate by their origin, each (n, *input shape)."""
    from siliconv.hls.vectors import corner_vectors

    chosen = images.read(spread(len(images), project.csim.images)).astype(np.int64)
    vectors = {"test images": chosen}
    if project.csim.corner_vectors:
        vectors |= {name: codes[np.newaxis] for name, codes in corner_vectors(network).items()}
    return vectors


def _logits_of(model: Any, dataset: Dataset, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Run a model on the test and on the validation images: its logits, each (n, outputs)."""
    from siliconv.models.prediction import predictor

    predict = predictor(model)
    return predict(dataset.test, context.progress), predict(dataset.val)


def _write_evaluation(logits: tuple[np.ndarray, np.ndarray], dataset: Dataset, folder: Path, **more: float) -> Metrics:
    """Write the logits of the test images, and how good they are, from test and validation logits.

    For two classes and one logit, also with the threshold that is best on the validation images.
    """
    test, val = logits
    metrics = _metrics(test, dataset)
    content = {**metrics.as_json(), **more}
    if test.shape[1] == 1 and len(val):
        threshold = calibrate_threshold(val, dataset.val.labels)
        calibrated = evaluate(test, dataset.test.labels, dataset.class_names, threshold=threshold)
        content["calibrated"] = {"threshold": threshold, "accuracy": calibrated.accuracy}
    np.save(folder / TEST_LOGITS_FILE, test)
    _write_json(folder / "metrics.json", content)
    return metrics


def _draw_augmentation(config: TrainConfig, dataset: Dataset, path: Path) -> None:
    """Draw one training image under each change that the training makes; nothing where it makes none."""
    from siliconv.models.augmentation import augmentation_sheet
    from siliconv.models.pictures import image_sheet

    if config.augmentation != AugmentConfig():
        image_sheet(augmentation_sheet(config.augmentation, dataset.train.read([0])[0], seed=config.seed), path)


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


def _weights_hash(weights: Weights) -> str:
    digest = hashlib.sha256()
    for name, arrays in sorted(weights.items()):
        for values in arrays:
            digest.update(f"{name} {values.shape} {values.dtype}\n".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _metrics(logits: np.ndarray, dataset: Dataset) -> Metrics:
    return evaluate(logits, dataset.test.labels, dataset.class_names)


def _write_history(path: Path, history: History) -> None:
    """Write the learning curves without the seconds: the same training gives the same file."""
    found = history.as_json()
    _write_json(path, {**found, "epochs": [{**epoch, "seconds": None} for epoch in found["epochs"]]})


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
            "train": project.train.model_dump(mode="json") if project.train else None,
            "weights": _weights_hash(project.initial_weights),
        },
        modules=(
            "siliconv.models.float_model",
            "siliconv.models.folding",
            "siliconv.models.evaluation",
            "siliconv.models.user_model",
        ),
        libraries=KERAS_LIBRARIES,
    ),
    Stage(
        "quantize",
        _quantize,
        outputs=("quantized",),
        needs=("data", "train"),
        settings=lambda project: {
            "quantize": project.quantize.model_dump(mode="json"),
            "dropout": project.train.dropout if project.train else None,
        },
        modules=("siliconv.quantize.fine_tuning",),
        libraries=(*KERAS_LIBRARIES, "tensorflow-model-optimization"),
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
            "siliconv.hls.axi",
            "siliconv.hls.project_readme",
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
        settings=lambda project: {"hls": project.hls.model_dump(mode="json"), "calibration": user_calibration()},
        modules=(
            *_NETWORK_CODE,
            "siliconv.hls.network_design",
            "siliconv.hls.estimate",
            "siliconv.hls.boards",
            "siliconv.hls.synthesis_results",
            "siliconv.hls.own_calibration",
        ),
        beside=(SYNTHESIS_FILE, f"../{CALIBRATION_FILE}"),
    ),
    Stage(
        "report",
        _report,
        outputs=("report.html", "pictures"),
        needs=("data", "train", "quantize", "lower", "convert", "csim", "estimate"),
        settings=lambda project: project.model_dump(mode="json"),
        modules=("siliconv.report", "siliconv.report_pictures"),
        libraries=("matplotlib", "jinja2"),
    ),
)
"""In the order of the data."""

STAGE_NAMES = tuple(stage.name for stage in STAGES)
