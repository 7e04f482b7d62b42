"""Image classification sets of TensorFlow Datasets by name, such as celeb_a (attribute Male) and
cats_vs_dogs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from siliconv.errors import DataError, ToolError
from siliconv.legacy_keras import load
from siliconv.models.answers.right_answers import answers_of_classes
from siliconv.models.answers.task import Question
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import RawImage
from siliconv.models.data.listing import SPLIT_ALIASES, Listing
from siliconv.models.data.splits import UNASSIGNED

_ALTERNATIVES = (
    "or use images of your own; source: folder takes one folder of images a class, source: npz takes arrays, "
    "source: digits is built in"
)


def list_tfds(config: DataConfig, question: Question | None = None) -> Listing:
    """Download (once) and list a data set; the encoded images are streamed, and decoded like any file.

    `config.label` is the key of the label, or for celeb_a the attribute; `config.path` the folder for
    downloads.

    Raises
    ------
    ToolError
        ``TFDS-MISSING`` when tensorflow-datasets is not installed.
    DataError
        ``DATA-DOWNLOAD`` when the set cannot be had, ``DATA-MISSING`` without a name, ``DATA-LABEL`` for a
        label
        that the set lacks.
    """
    if config.name is None:
        raise DataError(
            "DATA-MISSING",
            "source 'tfds' needs a name",
            where="data.name",
            fix="write name: celeb_a (with label: Male), name: cats_vs_dogs or another image set",
        )
    tfds = _module()
    builder = _builder(tfds, config)
    image_key = _image_key(tfds, builder, config)
    path, class_names = _label(tfds, builder, config)
    splits = [split for split in builder.info.splits if split.lower() in SPLIT_ALIASES]
    if not splits:
        raise DataError(
            "DATA-LAYOUT",
            f"{config.name} has the splits {sorted(builder.info.splits)} and none to train on",
            where="data.name",
            fix=f"choose a set with a train split, {_ALTERNATIVES}",
        )

    def examples() -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (split number, example) in an order that is the same in every pass."""
        for split in splits:
            stream = builder.as_dataset(
                split=split, shuffle_files=False, decoders={image_key: tfds.decode.SkipDecoding()}
            )
            given = SPLIT_ALIASES[split.lower()] if len(splits) > 1 else UNASSIGNED
            for example in tfds.as_numpy(stream):
                yield given, example

    labels, given = [], []
    for split_number, example in examples():
        value = example
        for key in path:
            value = value[key]
        labels.append(int(value))  # type: ignore[call-overload]
        given.append(split_number)

    def images(chosen: np.ndarray) -> Iterator[RawImage]:
        wanted = iter(chosen.tolist())
        next_wanted = next(wanted, None)
        for number, (_, example) in enumerate(examples()):
            if number == next_wanted:
                yield bytes(example[image_key])
                next_wanted = next(wanted, None)

    return Listing(
        answers_of_classes(np.asarray(labels, np.int32), class_names, question, Path(config.name)),
        np.asarray(given, np.int64),
        lambda i: f"{config.name}, image {i}",
        images,
    )


def _module() -> ModuleType:
    # Its import brings TensorFlow along, which has to come with Keras 2.
    load()
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise ToolError(
            "TFDS-MISSING",
            f"TensorFlow Datasets cannot be imported: {error}",
            where="data.source",
            fix=f"install it: python -m pip install 'siliconv[datasets]', {_ALTERNATIVES}",
        ) from error
    return tensorflow_datasets


def _builder(tfds: ModuleType, config: DataConfig) -> Any:
    folder = None if config.path is None else str(config.path)
    try:
        builder = tfds.builder(config.name, data_dir=folder)
        builder.download_and_prepare()
    except Exception as error:
        # The library raises whatever its download, its checksums and its registry raise.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            "DATA-DOWNLOAD",
            f"{config.name} cannot be had from TensorFlow Datasets: {reason}",
            where="data.name",
            fix=f"check the name and the connection, {_ALTERNATIVES}",
        ) from error
    return builder


def _image_key(tfds: ModuleType, builder: Any, config: DataConfig) -> str:
    for key, feature in builder.info.features.items():
        if isinstance(feature, tfds.features.Image):
            return str(key)
    raise DataError(
        "DATA-LAYOUT",
        f"{config.name} holds no images, but {sorted(builder.info.features)}",
        where="data.name",
        fix=f"choose an image set, {_ALTERNATIVES}",
    )


def _label(tfds: ModuleType, builder: Any, config: DataConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys that lead to the label in an example, and the class names."""
    features, wanted = builder.info.features, config.label or "label"
    attributes = dict(features.items()).get("attributes", {})
    if wanted in features and isinstance(features[wanted], tfds.features.ClassLabel):
        return (wanted,), tuple(features[wanted].names)
    if wanted in attributes:
        return ("attributes", wanted), (f"not {wanted}", wanted)
    known = [key for key in features if isinstance(features[key], tfds.features.ClassLabel)]
    known += list(attributes)
    raise DataError(
        "DATA-LABEL",
        f"{config.name} has no label {wanted!r}",
        where="data.label",
        fix="use one of: " + ", ".join(known) if known else f"choose a set with labels, {_ALTERNATIVES}",
    )
