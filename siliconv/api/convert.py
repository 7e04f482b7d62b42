"""From a Keras model, a file or an integer network to firmware, without a project file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from siliconv.api.codes import Inputs, calibration_codes
from siliconv.api.firmware import SETTINGS_FILE, VECTORS_FILE, Firmware, copy_parts
from siliconv.bounded_reading import read_as
from siliconv.errors import ModelError, ProjectError
from siliconv.flow.apart import call_apart
from siliconv.hardware.boards import Board
from siliconv.hardware.boards import board as find_board
from siliconv.hls.configuration import HlsConfig
from siliconv.models.answers.task import TaskChoice
from siliconv.models.architectures.field_problems import problems_of
from siliconv.models.data.data_config import InputConfig
from siliconv.models.data.number_type import PIXELS
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.progress import Progress, for_terminal
from siliconv.project.project import PROJECT_FILE, c_identifier
from siliconv.quantize.recipe import Recipe, WeightBits

TEST_VECTORS = 16
"""Calibration images that stand in the test bench of a project that was not simulated on others."""


class QuantizedModel:
    """A quantized network with fine-tuned weights, made by `siliconv.fine_tune`; `siliconv.convert` takes it.

    Parameters
    ----------
    folder
        ``float/``, ``quantized/`` and ``network/`` as in a project's build folder.
    rounded, accuracy
        Share of the test images that are classified right: by rounding alone, and by this network. In other tasks
        than classification it is the number that ``metric`` names.
    epochs, helped
        Epochs of the fine-tuning, and whether its weights are the ones kept.
    """

    def __init__(
        self, folder: Path, *, rounded: float, accuracy: float, epochs: int, helped: bool, metric: str = "accuracy"
    ) -> None:
        self.folder = folder
        self.rounded = rounded
        self.accuracy = accuracy
        self.metric = metric
        self.epochs = epochs
        self.helped = helped
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    @property
    def network(self) -> Network:
        """The integer network."""
        return network_file.load(self.folder / "network")

    def __repr__(self) -> str:
        how = f"{self.epochs} epochs of fine-tuning" + ("" if self.helped else " did not help")
        return f"quantized model: test {self.metric} {self.accuracy:.4g}, {self.rounded:.4g} by rounding alone; {how}"


def convert(
    model: Any,
    *,
    calibration: Inputs | None = None,
    input: InputConfig | None = None,
    board: str | None = None,
    weights: WeightBits | None = None,
    activations: int | None = None,
    biases: int | None = None,
    recipe: Recipe | None = None,
    hls: HlsConfig | None = None,
    images_per_second: float | None = None,
    latency_us: float | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> Firmware:
    """Take a network to firmware.

    Parameters
    ----------
    model
        A Keras 2 or 3 or QKeras model, the path of its file (.keras, .h5), a `QuantizedModel`, or an integer network
        (`siliconv.network.graph.Network`). A model is saved and read as data; nothing in it is run.
    calibration
        Inputs like those that it will see, (n, *input shape): the ranges of the activations are measured on them. uint8
        are pixels; other numbers are taken as they are, and the type of the input is chosen from them. Of several
        inputs a list of arrays in the model's order, or a dictionary, which get one type. Needed for a Keras model; of
        a QKeras model, whose own quantizers are taken as they are, no range is measured.
    input
        The type of the input, such as ``siliconv.InputConfig(bits=12, integer=2, signed=True)``; what it leaves open is
        chosen from the calibration inputs.
    board
        A board by name (`siliconv.boards`). Reuse factors, strategies and clock are searched for it: the fastest that
        fits, or the smallest that reaches ``images_per_second`` or ``latency_us``.
    weights, activations, biases
        Bits, or ``binary``, ``ternary``, ``po2`` for weights; 6, 6 and 8 by default.
    recipe
        Everything else about bits, in place of these three.
    hls
        Firmware settings; with a board, back end and I/O type are taken from it and the rest is searched.
    images_per_second, latency_us
        What has to be reached on the board.
    name
        Of the firmware's top function.
    progress
        Gets the progress of long work.

    Returns
    -------
    The firmware; nothing of it is written before `Firmware.write` or `Firmware.simulate`.

    Raises
    ------
    ModelError
        ``MODEL-...`` for a model that cannot be read.
    NetworkError
        ``LOWER-...`` for a layer without an exact integer form.
    DataError
        ``DATA-CALIBRATION`` where there are no calibration inputs, or they are no numbers.
    WorkSaysNoError
        ``FIT-...`` where nothing fits the board, with what would help.

    Examples
    --------
    An integer network, fitted to a board:

    >>> firmware = siliconv.convert(network, board="pynq-z2")
    >>> firmware.hls.part
    'xc7z020clg400-1'
    >>> firmware.predict(images).shape
    (2, 3)

    A Keras model takes calibration images besides:
    ``siliconv.convert(model, calibration=x_train[:500], weights=6, activations=6)``.
    """
    progress = progress or for_terminal()
    recipe = _recipe(recipe, weights=weights, activations=activations, biases=biases)
    config = hls or HlsConfig()
    with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
        folder = Path(scratch)
        if isinstance(model, QuantizedModel):
            copy_parts(model.folder, folder)
        elif isinstance(model, Network):
            network_file.save(model, folder / "network")
        else:
            source, title = model_source(model, folder)
            codes = _taken(source, calibration, input, recipe, c_identifier(name or title), folder, progress)
            np.save(folder / VECTORS_FILE, codes[:TEST_VECTORS])
        firmware = Firmware(folder, config, progress=progress)
    if board is not None:
        target = {"images_per_second": images_per_second, "latency_us": latency_us}
        firmware.hls = _fitted(firmware.network, config, find_board(board), target)
    return firmware


def _taken(
    source: str,
    calibration: Inputs | None,
    stated: InputConfig | None,
    recipe: Recipe,
    top: str,
    folder: Path,
    progress: Progress,
) -> Codes:
    """Round a float model by a recipe, or take a QKeras model as it is; give the inputs for the test bench."""
    from siliconv.api.keras_work import round_model
    from siliconv.api.qkeras_work import bits_of_rest, input_names, qkeras_file, random_codes, take_model

    file = qkeras_file(source)
    if file is None:
        codes, numbers = calibration_codes(calibration, stated, recipe, input_names(source))
        call_apart(round_model, source, codes, recipe, top, folder, numbers, progress=progress)
        return codes
    bits = bits_of_rest(recipe)
    if calibration is not None:
        codes, numbers = calibration_codes(calibration, stated, recipe, list(file.model.inputs))
    else:
        numbers = (stated.stated() if stated is not None else PIXELS) or PIXELS
        codes = random_codes(file.model.input_shape, numbers)
    call_apart(take_model, source, codes, bits, top, folder, numbers, progress=progress)
    return codes


def load(folder: str | Path, *, progress: Progress | None = None) -> Firmware:
    """Open what `Firmware.save` kept, or a project that was run up to ``lower``.

    Raises
    ------
    ProjectError
        ``LOAD-FOLDER`` where there is neither.

    Examples
    --------
    >>> saved = siliconv.convert(network).save(folder / "kept")
    >>> siliconv.load(saved).name
    'small'
    """
    path = Path(folder)
    if (path / PROJECT_FILE).is_file():
        from siliconv.api.projects import Project

        return Project(path).firmware
    try:
        hls = read_as(path / SETTINGS_FILE, HlsConfig)
    except (OSError, ValueError) as error:
        raise ProjectError(
            "LOAD-FOLDER",
            f"no saved firmware: {error}",
            where=str(path),
            fix="name a folder that firmware.save(folder) wrote, or a project's folder",
        ) from error
    return Firmware(path, hls, progress=progress)


def fine_tune(
    model: Any,
    data: tuple[NDArray[Any], NDArray[Any]] | dict[str, NDArray[Any]],
    recipe: Recipe | None = None,
    *,
    validation: float = 0.1,
    task: TaskChoice = "auto",
    name: str | None = None,
    progress: Progress | None = None,
) -> QuantizedModel:
    """Quantize a Keras model by a recipe and fine-tune its weights with the quantizers in place.

    Parameters
    ----------
    model
        A Keras 2 or 3 model, or the path of its file.
    data
        ``(images, labels)``, or a dictionary with ``x_train``, ``y_train`` and, where there are any, ``x_val``,
        ``y_val``, ``x_test``, ``y_test``. Images are uint8, (n, *input shape); other numbers get an input type chosen
        from the training data. Labels are class numbers, rows of 0 and 1, or numbers.
    recipe
        Bits, calibration, pruning, distillation, and how it is trained (`Recipe.train`).
    validation
        Share of the images on which the best epoch is chosen, where there are no ``x_val``.
    task
        What the network is asked; found from network and labels by default.
    name
        Of the network.
    progress
        Gets the progress of every step.

    Raises
    ------
    ModelError, DataError, NetworkError
        As `convert`.
    """
    from siliconv.api.keras_work import TrainingData, fine_tune_model

    recipe, scratch = recipe or Recipe(), tempfile.TemporaryDirectory(prefix="siliconv-")
    folder = Path(scratch.name)
    arrays = data if isinstance(data, dict) else dict(zip(("x", "y"), data, strict=True))
    np.savez(folder / "data.npz", allow_pickle=False, **arrays)
    source, title = model_source(model, folder)
    found = call_apart(
        fine_tune_model,
        source,
        TrainingData(folder / "data.npz", validation, task),
        recipe,
        c_identifier(name or title),
        folder,
        progress=progress or for_terminal(),
    )
    tuned = QuantizedModel(
        folder,
        rounded=found.rounded,
        accuracy=found.value,
        epochs=found.epochs,
        helped=found.helped,
        metric=found.metric,
    )
    tuned._scratch = scratch  # lives as long as the model does
    return tuned


def model_source(model: Any, folder: Path) -> tuple[str, str]:
    """Give the file of a model, saved into `folder` if it is an object, and a name for it.

    Raises
    ------
    ModelError
        ``MODEL-KIND`` for what is no model.
    """
    if isinstance(model, str | Path):
        path = Path(model).resolve()
        return str(path), path.stem
    if not (hasattr(model, "save") and hasattr(model, "get_config")):
        raise ModelError(
            "MODEL-KIND",
            f"a {type(model).__name__} is no model",
            where="model",
            fix="pass a Keras model, the path of its file, a siliconv.QuantizedModel or an integer network",
        )
    path = folder / "model.keras"
    model.save(path)
    return str(path), str(getattr(model, "name", "")) or "model"


def _recipe(recipe: Recipe | None, **bits: Any) -> Recipe:
    said = {name: value for name, value in bits.items() if value is not None}
    if recipe is not None and said:
        raise ProjectError(
            "CONVERT-BITS", f"{', '.join(said)} beside a recipe", where="convert", fix="say it in the recipe alone"
        )
    try:
        return recipe or Recipe(train=None, **said)
    except ValidationError as error:
        wrong = "; ".join(str(one) for one in problems_of(error))
        raise ProjectError(
            "CONVERT-BITS", wrong, where="convert", fix="use 2 to 16 bits, or binary, ternary, po2"
        ) from error


def _fitted(network: Network, config: HlsConfig, board: Board, target: dict[str, float | None]) -> HlsConfig:
    """Give the configuration with which a network fits a board, or raise what would help."""
    from siliconv.hls.fifo.sized_design import design_of
    from siliconv.hls.fit.remedies import does_not_fit, remedies
    from siliconv.hls.fit.settings import fit_settings, no_firmware
    from siliconv.project.calibration_file import calibrated

    if reason := no_firmware(board):
        raise ProjectError(
            "BOARD-BACKEND",
            reason,
            where=f"board={board.name!r}",
            fix="choose a board with an AMD device: siliconv.boards()",
        )
    coefficients, _ = calibrated(None)
    asked: dict[str, Any] = {**target, "coefficients": coefficients}
    design, found = fit_settings(lambda settings: design_of(network, settings), config, board, **asked)
    if found.chosen is None:
        raise does_not_fit(design, found, remedies(design, found, **asked))
    return found.chosen.settings(config, board)
