"""Pre-flight rules about images, training and the vectors of the certificate."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from siliconv.checks.facts import Facts
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rule_at
from siliconv.counting import listed
from siliconv.errors import ModelError
from siliconv.models.answers.right_answers import check_answers
from siliconv.models.architectures.standardization import STANDARDIZE
from siliconv.models.training.losses import loss_kind, loss_misfit
from siliconv.models.training.train_config import TrainConfig

_FEW_TEST_IMAGES, _FEW_STEPS, _FEW_CALIBRATION_IMAGES = 200, 4, 64
_UNBALANCED, _CLASSES_SHOWN = 5, 8
_DIGITS = (8, 8, 1)
_MUCH_SATURATED = 0.001
_BITS_OF_A_WEIGHT = 4
"""Of a weight that is as good as any, once its scale is its own."""

# C simulation of the lecture's CNN (60 million products): 1.2 s an image on one core (presets_exact.json).
_PRODUCTS_PER_SECOND, _LONG_SECONDS = 5e7, 1800


@rule_at("DATA-PATH", Severity.ERROR, "data.path")
def data_path(facts: Facts) -> Words:
    data = facts.project.data
    if data.source not in ("digits", "generated", "tfds") and (data.path is None or not data.path.exists()):
        yield (
            f"source {data.source}: " + ("no path is given" if data.path is None else f"{data.path} does not exist"),
            "give the folder of images (one folder a class) or the file of arrays, relative to the project's folder",
        )


@rule_at("DATA-NONE", Severity.ERROR, "data")
def data_none(facts: Facts) -> Words:
    project = facts.project
    stands_in = project.data.source == "digits" and "data" not in project.model_fields_set
    if stands_in and project.model.file is not None and project.question.inputs != _DIGITS:
        takes = " x ".join(map(str, project.question.inputs))
        yield (
            f"no data are named, and the digits, which stand in, are images of 8 x 8: the model takes {takes}",
            "name yours, as data: {source: npz, path: FILE} or by --data PATH (docs/data.md)",
        )


@rule("OUTPUT-SHAPE", Severity.ERROR)
def output_shape(facts: Facts) -> Iterator[Complaint]:
    yield from _unanswered(facts, "OUTPUT-SHAPE")


@rule("DATA-CLASSES", Severity.ERROR)
def data_classes(facts: Facts) -> Iterator[Complaint]:
    yield from _unanswered(facts, "DATA-CLASSES")


@rule("TASK-TRAIN", Severity.ERROR)
def task_train(facts: Facts) -> Iterator[Complaint]:
    yield from _unanswered(facts, "TASK-TRAIN")


def _unanswered(facts: Facts, code: str) -> Iterator[Complaint]:
    """Yield what of a code is wrong with the network's output for what it is asked, as far as that is known."""
    question = facts.project.question
    task = facts.task or (question.asked if question.asked != "auto" else None)
    try:
        if task is not None:
            check_answers(question, task, facts.class_names)
    except ModelError as error:
        if error.code == code:
            yield Complaint(error.what, error.where, error.fix)


@rule("OUTPUT-RELU", Severity.WARNING)
def output_relu(facts: Facts) -> Iterator[Complaint]:
    last = facts.plan.layers[-1]
    if last.activation == "relu" and facts.task in (None, "classification", "multilabel"):
        yield Complaint(
            "the network ends in a relu: every negative logit becomes 0, and classes tie",
            f"layer '{last.name}'",
            "leave the activation of the last layer out",
        )


@rule("TASK-NONE", Severity.WARNING)
def task_none(facts: Facts) -> Iterator[Complaint]:
    question = facts.project.question
    if facts.task == "none" and question.asked == "auto":
        yield Complaint(
            f"nothing says which answers of a network that ends in {question.output_in_words} are right: it is "
            "compared in every bit, without a metric",
            f"layer '{question.layer}'",
            "nothing to do where that is meant (task: none says so); a classifier ends in flatten or a global pooling "
            "and a dense layer of one unit a class; other answers are stored as y",
        )


@rule_at("DATA-INPUT-RANGE", Severity.WARNING, "data.input")
def data_input_range(facts: Facts) -> Words:
    if facts.images is not None and facts.images.input.saturated > _MUCH_SATURATED:
        found = facts.images.input
        yield (
            f"{found.saturated:.2%} of the inputs saturate: they go from {found.smallest:g} to {found.largest:g}, the "
            f"type ({found.type}) ends before",
            "give data.input more integer bits, or leave integer out: it is chosen from the training data",
        )


@rule_at("DATA-FEATURE-COARSE", Severity.WARNING, "data.input")
def data_feature_coarse(facts: Facts) -> Words:
    if facts.images is not None and facts.images.input.coarse:
        yield (
            facts.images.input.coarse_in_words(facts.images.shape),
            "bring them to similar scales before they are stored, or give data.input more bits (24 at most)",
        )


@rule_at("DATA-NO-TEST", Severity.ERROR, "data.test")
def data_no_test(facts: Facts) -> Words:
    if facts.project.data.test == 0 and _takes_shares(facts, "test"):
        yield "no image is kept for the test: there is nothing to evaluate and simulate on", "use data.test: 0.2"


@rule_at("DATA-NO-VALIDATION", Severity.WARNING, "data.validation")
def data_no_validation(facts: Facts) -> Words:
    if facts.project.data.validation == 0 and _takes_shares(facts, "val"):
        yield (
            "no image is kept for validation: neither the best epoch nor the use of fine-tuning can be judged",
            "use data.validation: 0.1",
        )


@rule_at("DATA-TEST-FEW", Severity.WARNING, "data.test")
def data_test_few(facts: Facts) -> Words:
    images = facts.count("test")
    if images is not None and 0 < images < _FEW_TEST_IMAGES and facts.task == "classification":
        yield (
            f"{images} test images: an accuracy of 90 % is known to +-{100 * sqrt(0.09 / images):.1f} %",
            "keep a larger share for the test, or add images",
        )


@rule_at("DATA-CLASS-ABSENT", Severity.WARNING, "the labels")
def data_class_absent(facts: Facts) -> Words:
    absent = facts.without_examples
    if absent:
        shown = listed(absent, _CLASSES_SHOWN)
        yield (
            f"{len(absent)} of {len(facts.class_names or ())} classes {'has' if len(absent) == 1 else 'have'} no "
            f"example: {shown}",
            "nothing to do where that is known; else add examples, or leave the classes out of labels and network",
        )


@rule_at("DATA-UNBALANCED", Severity.WARNING, "train.class_weights")
def data_unbalanced(facts: Facts) -> Words:
    train = facts.project.train
    if facts.images is None or train is None or train.class_weights != "equal" or facts.images.task != "classification":
        return
    named = zip(facts.images.class_names, facts.images.counts["train"], strict=True)
    counts = {name: count for name, count in named if count}
    if not counts:
        return
    rarest, commonest = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
    if counts[commonest] > _UNBALANCED * counts[rarest]:
        yield (
            f"{counts[commonest]:,} images of '{commonest}' and {counts[rarest]:,} of '{rarest}' weigh alike",
            "use train.class_weights: balanced",
        )


@rule_at("DATA-DUPLICATES", Severity.WARNING, "the images")
def data_duplicates(facts: Facts) -> Words:
    if facts.images is not None and facts.images.duplicates:
        one, other = facts.images.duplicate_examples[0]
        yield (
            f"{facts.images.duplicates} images occur in two splits, such as {one} and {other}: the test accuracy is "
            "flattered",
            "remove the copies",
        )


@rule_at("DATA-PIXELS", Severity.WARNING, "data.input")
def data_pixels(facts: Facts) -> Words:
    if facts.doubtful_pixels is not None:
        yield (
            facts.doubtful_pixels,
            "if they are counts, say data.pixel_scale: 0..255: the network gets k, not k/256; if they are pixels, "
            "store them as uint8",
        )


@rule_at("STANDARDIZE-SPREAD", Severity.WARNING, "data.standardize")
def standardize_spread(facts: Facts) -> Words:
    found = facts.images.statistics if facts.images is not None else None
    layer = next((one for one in facts.plan.matrices if one.name == STANDARDIZE), None)
    if found is None or layer is None:
        return
    deviations = [one for one in found.deviations if one > 0]
    spread = max(deviations, default=1.0) / min(deviations, default=1.0)
    bits = facts.plan.weight_bits(layer)
    if spread > 2 ** max(bits - _BITS_OF_A_WEIGHT, 0):
        yield (
            f"the features' deviations differ by a factor of {spread:.3g}; the factors of '{STANDARDIZE}' have "
            f"{bits} bits, and those of the widest features round to nothing",
            "bring the features to similar scales before they are stored, such as by units of their own",
        )


@rule("TRAIN-LOSS", Severity.ERROR)
def train_loss(facts: Facts) -> Iterator[Complaint]:
    question, task = facts.project.question, facts.task or "classification"
    for section, config in _trainings(facts):
        if question.parts:
            if config.loss != "auto" or not config.from_logits:
                yield Complaint(
                    "each of several outputs has the loss of its task, and their sum is trained on",
                    f"{section}.loss" if config.loss != "auto" else f"{section}.from_logits",
                    "leave loss and from_logits out",
                )
            continue
        kind = loss_kind(config, question.output[-1], task)
        why = loss_misfit(kind, question.output[-1], task, question.function) if task != "none" else None
        if why is not None and (len(question.output) == 1 or task != "classification"):
            yield Complaint(why[0], f"{section}.loss", why[1])


@rule("TRAIN-WEIGHTS", Severity.ERROR)
def train_weights(facts: Facts) -> Iterator[Complaint]:
    for section, config in _trainings(facts):
        given = config.class_weights
        known = facts.class_names if facts.task == "classification" else None
        if known is not None and not isinstance(given, str) and set(given) != set(known):
            yield Complaint(
                f"weights are given for {', '.join(sorted(given))}; the classes are {', '.join(known)}",
                f"{section}.class_weights",
                "give one weight for each class, or write balanced",
            )


@rule("TRAIN-BATCH", Severity.WARNING)
def train_batch(facts: Facts) -> Iterator[Complaint]:
    images = facts.count("train")
    for section, config in _trainings(facts):
        if images is not None and config.batch_size * _FEW_STEPS > images:
            yield Complaint(
                f"batches of {config.batch_size} of {images} images: {-(-images // config.batch_size)} steps an epoch",
                f"{section}.batch_size",
                _smaller_batch(section, images),
            )


def _smaller_batch(section: str, images: int) -> str:
    """Say which batch gives enough steps an epoch, or that so few images have none."""
    if images < _FEW_STEPS:
        return f"add images; {section}.batch_size: 1 takes one a step"
    return f"use {section}.batch_size: {images // _FEW_STEPS}, which is {_FEW_STEPS} steps an epoch, or a smaller one"


@rule("TRAIN-WARMUP", Severity.WARNING)
def train_warmup(facts: Facts) -> Iterator[Complaint]:
    for section, config in _trainings(facts):
        if config.warmup_epochs >= config.epochs:
            yield Complaint(
                f"{config.warmup_epochs} epochs of warm-up in {config.epochs}: the learning rate never arrives",
                f"{section}.warmup_epochs",
                f"use {section}.warmup_epochs: {config.epochs // 10}",
            )


@rule_at("TRAIN-PATIENCE", Severity.HINT, "train.patience")
def train_patience(facts: Facts) -> Words:
    config = facts.project.train
    if config is not None and config.patience >= config.epochs:
        yield (
            f"a patience of {config.patience} in {config.epochs} epochs never stops early",
            "use less, or 0 to say so",
        )


@rule_at("TUNING-RATE", Severity.WARNING, "quantize.train.learning_rate")
def tuning_rate(facts: Facts) -> Words:
    train, tuning = facts.project.train, facts.project.quantize.train
    if train is not None and tuning is not None and tuning.learning_rate > train.learning_rate:
        yield (
            f"fine-tuning with a learning rate of {tuning.learning_rate:g} leaves what training with "
            f"{train.learning_rate:g} found",
            f"use about {train.learning_rate / 10:g}",
        )


@rule_at("CALIBRATION-FEW", Severity.WARNING, "quantize.calibration_images")
def calibration_few(facts: Facts) -> Words:
    images = facts.project.quantize.calibration_images
    if images < _FEW_CALIBRATION_IMAGES:
        yield (
            f"the ranges of the activations are measured on {images} images: rare large values are missed and saturate",
            "use quantize.calibration_images: 256",
        )


@rule_at("CSIM-CORNERS", Severity.WARNING, "csim.corner_vectors")
def csim_corners(facts: Facts) -> Words:
    if not facts.project.csim.corner_vectors:
        yield (
            "without corner vectors the certificate covers test images only, which seldom reach the ends of the types",
            "use csim.corner_vectors: true; they are seven inputs",
            {"csim.corner_vectors": True},
        )


@rule_at("CSIM-IMAGES", Severity.HINT, "csim.images")
def csim_images(facts: Facts) -> Words:
    images, wanted = facts.count("test"), facts.project.csim.images
    if images is not None and wanted > images:
        yield f"{wanted} images to simulate, the test set has {images}", f"nothing to do: {images} are taken"


@rule_at("CSIM-LONG", Severity.WARNING, "csim.images")
def csim_long(facts: Facts) -> Words:
    csim = facts.project.csim
    cores = facts.machine.cores if csim.jobs == -1 else max(csim.jobs, 1)
    images = min(csim.images, facts.count("test") or csim.images)
    seconds = images * sum(layer.multiplications for layer in facts.plan.matrices) / _PRODUCTS_PER_SECOND / cores
    if seconds > _LONG_SECONDS:
        yield (
            f"C simulation of {images:,} images takes about {seconds / 60:,.0f} minutes on {cores} cores",
            f"use csim.images: {max(int(images * _LONG_SECONDS / seconds), 1)}; the emulator runs whole test sets",
        )


@rule_at("CSIM-JOBS", Severity.WARNING, "csim.jobs")
def csim_jobs(facts: Facts) -> Words:
    if facts.project.csim.jobs > facts.machine.cores:
        yield (
            f"{facts.project.csim.jobs} processes on {facts.machine.cores} cores take memory and no less time",
            "use csim.jobs: -1, one a core",
            {"csim.jobs": -1},
        )


def _trainings(facts: Facts) -> Iterator[tuple[str, TrainConfig]]:
    """Yield each section of the project that says how to train, and what it says."""
    for section, config in (("train", facts.project.train), ("quantize.train", facts.project.quantize.train)):
        if config is not None:
            yield section, config


def _takes_shares(facts: Facts, split: str) -> bool:
    """Whether a split is taken from the source's images, because the source has none of its own."""
    data = facts.project.data
    if facts.images is not None:
        return not sum(facts.images.counts[split])
    if data.source == "folder" and data.path is not None:
        return not (data.path / split).is_dir()
    return data.source in ("digits", "generated")
