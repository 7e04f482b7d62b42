"""A trained QKeras model without a project file: taken as it is, in a process that has Keras 2."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from siliconv.errors import DataError, ModelError
from siliconv.flow.artefacts import AGREEMENT_FILE, INPUT_FILE, load_quantized_model, write_json
from siliconv.flow.taken_artefacts import save_taken
from siliconv.models.data.number_type import NumberType
from siliconv.models.qkeras_files.qkeras_reading import QKerasFile, is_qkeras, qkeras_model_of
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes
from siliconv.progress import Progress
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.recipe import Recipe, Unquantized

RANDOM_INPUTS = 64
"""Inputs of which a model is compared where none are given."""


def qkeras_file(source: str) -> QKerasFile | None:
    """Read a model's file as data; None where it is no QKeras model.

    Raises
    ------
    ModelError
        ``MODEL-...`` for what cannot be read.
    """
    from siliconv.models.architectures.user_model import read_written_model, understanding

    if source.lower().endswith(".json"):
        return None
    written = read_written_model(source, folder=Path())
    with understanding(source):
        if not is_qkeras(written.config):
            return None
        return qkeras_model_of(written.config, written.weights, where=source)


def input_names(source: str) -> tuple[str, ...]:
    """Give the names of a model's inputs in their order; errors as `qkeras_file`."""
    from siliconv.models.architectures.keras_config import inputs_of
    from siliconv.models.architectures.user_model import read_written_model, understanding

    if source.lower().endswith(".json"):
        return ()
    written = read_written_model(source, folder=Path())
    with understanding(source):
        return inputs_of(written.config)


def bits_of_rest(recipe: Recipe) -> Unquantized:
    """Give the bits for what has no quantizer, or refuse a recipe that says more.

    Raises
    ------
    ModelError
        ``MODEL-QUANTIZED``: its own quantizers are its recipe.
    """
    more = sorted(recipe.model_fields_set - {"unquantized", "train"})
    if more or recipe.train is not None:
        raise ModelError(
            "MODEL-QUANTIZED",
            f"the quantizers of a QKeras model are its recipe, and {', '.join(more or ['train'])} would be another",
            where="convert",
            fix="leave the bits out; for what has no quantizer: recipe=Recipe(train=None, unquantized={'weights': 8})",
        )
    return recipe.unquantized or Unquantized()


def random_codes(shape: tuple[int, ...], numbers: NumberType) -> Codes:
    """Give inputs from a seed, where nobody gives any: (n, *input shape)."""
    low, high = numbers.codes
    return np.random.default_rng(0).integers(low, high + 1, (RANDOM_INPUTS, *shape))


def take_model(
    source: str,
    codes: Codes | None,
    bits: Unquantized,
    name: str,
    folder: Path,
    numbers: NumberType,
    *,
    progress: Progress,
) -> None:
    """Take a QKeras file as it is, compare it with QKeras' own prediction, and lower it.

    Parameters
    ----------
    source
        The file by its whole path.
    codes
        Some inputs, (n, *input shape); random ones are taken where there are none.
    bits
        For what has no quantizer.
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
    from siliconv.models.qkeras_files.taken_ports import ports_of_taken
    from siliconv.quantize.lowering.agreement import agree
    from siliconv.quantize.taken.taken_model import taken_model
    from siliconv.quantize.taken.unquantized import with_quantizers
    from siliconv.stages.lowered_network import agreement_record, lowered_network
    from siliconv.stages.taken_stages import compare_with_qkeras

    file, kind = qkeras_file(source), fixed_point_of(numbers)
    assert file is not None  # the caller looked
    shape = file.model.input_shape
    given = random_codes(shape, numbers) if codes is None else codes[:RANDOM_INPUTS].astype(np.int64)
    if given.shape[1:] != shape:
        raise DataError(
            "DATA-SHAPE",
            f"inputs of shape {given.shape[1:]} for a network that takes {shape}",
            where="calibration",
            fix="pass inputs of the network's input shape, (n, *input shape), or none",
        )
    model = taken_model(file.model, file.weights)
    found = compare_with_qkeras(file, model, Path(source), given, kind, progress=progress)
    (folder / "float").mkdir()
    save_taken(file.model, file.weights, folder / "float")
    write_json(folder / "float" / AGREEMENT_FILE, found.as_json())
    rest, weights, rounded = with_quantizers(file.model, file.weights, bits)
    for one in rounded:
        progress.say(f"{one.name} has no quantizer and is rounded to {one.bits} bits, {one.error:.2%} off")
    (folder / "quantized").mkdir()
    save_taken(rest, weights, folder / "quantized")
    write_json(folder / "quantized" / INPUT_FILE, asdict(numbers))
    live = load_quantized_model(folder)
    network = lowered_network(live, name=name, ports=ports_of_taken(file.model), input_type=kind)
    agreement = agree(live, lambda: load_quantized_model(folder), network, given).require_equal()
    network_file.save(network, folder / "network")
    write_json(folder / "network" / "agreement.json", agreement_record(network, agreement))
