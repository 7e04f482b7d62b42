"""How much a network loses when a single tensor gets fewer bits: rounded without training, run by the emulator."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import NetworkError
from siliconv.flow.artefacts import judge_of
from siliconv.models.data.image_store import Dataset, LoadedImages, spread
from siliconv.models.training.prediction import predict_logits
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import to_values
from siliconv.network.graph import Network
from siliconv.network.span import span_operations
from siliconv.progress import Progress, activity
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig, c_identifier
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.recipe import Recipe
from siliconv.search.search_space import Proposal, SearchedTensor, Width, changes_of_proposal, input_type, widest
from siliconv.stages.lowered_network import lowered_network

MOST_IMAGES = 512
"""Validation images that are run, spread over all."""

WIDEST = ""
"""The name under which the network with all its bits stands."""


@dataclass(frozen=True)
class Sensitivity:
    """What is left of a network in which one tensor has fewer bits.

    Parameters
    ----------
    tensor
        Its name; `WIDEST` for the network with all bits.
    width
        What it has.
    noise
        Mean square of what the outputs are off those of the float network, in units of these outputs' variance; None
        for a width that this network cannot have.
    goodness
        On the validation images.
    span_by_layer
        Span bit operations.
    """

    tensor: str
    width: Width
    noise: float | None
    goodness: float | None
    span_by_layer: dict[str, int]


@dataclass(frozen=True)
class Sensitivities:
    """All that was measured of a space; what no width was measured for is none that is offered."""

    space: tuple[SearchedTensor, ...]
    found: tuple[Sensitivity, ...]

    def noise(self, one: Proposal, of_weights: float = 1.0) -> float:
        """Predict the noise of a proposal: what each tensor adds alone, added up.

        Parameters
        ----------
        one
            The widths.
        of_weights
            What share of the noise of rounded weights counts: training takes the rest away.
        """
        least = self._noise(WIDEST, "")
        parts = {tensor.name: of_weights if tensor.part == "weights" else 1.0 for tensor in self.space}
        added = ((name, max(self._noise(name, width) - least, 0.0)) for name, width in one.items())
        return least + sum(parts[name] * noise for name, noise in added)

    def span_operations(self, one: Proposal) -> float:
        """Predict the cost of a proposal: of each layer, what share each tensor leaves alone, multiplied."""
        whole = self._of[WIDEST, ""].span_by_layer
        shares = dict.fromkeys(whole, 1.0)
        for name, width in one.items():
            for layer, count in self._of[name, width].span_by_layer.items():
                shares[layer] *= count / max(whole[layer], 1)
        return sum(count * shares[layer] for layer, count in whole.items())

    @property
    def _of(self) -> dict[tuple[str, Width], Sensitivity]:
        known = {(one.tensor, one.width): one for one in self.found}
        ends = {(tensor.name, tensor.widths[-1]): known[WIDEST, ""] for tensor in self.space}
        return known | ends

    def _noise(self, tensor: str, width: Width) -> float:
        noise = self._of[tensor, width].noise
        return noise if noise is not None else math.inf


def sensitivities(
    float_model: Any,
    dataset: Dataset,
    project: ProjectConfig,
    space: Sequence[SearchedTensor],
    path: Path,
    progress: Progress,
) -> Sensitivities:
    """Measure each tensor at each width, all others with all their bits; what `path` holds already is not done again.

    Parameters
    ----------
    float_model
        The deployed float model.
    dataset
        Calibration by its training images, judged on its validation images.
    project
        For whatever the space does not say.
    space
        Tensors and widths.
    path
        Where it is kept as it goes on.
    progress
        Told of it.

    Raises
    ------
    NetworkError
        Where the network with all its bits cannot be built.
    """
    asked: list[tuple[str, Width]] = [(WIDEST, "")]
    asked += [(tensor.name, width) for tensor in space for width in tensor.widths[:-1]]
    known = {(one.tensor, one.width): one for one in _read(path)}
    measure = _Measure(float_model, dataset, project, tuple(space))
    done = sum(one in known for one in asked)
    with activity(progress, "Sensitivities", len(asked), "widths", done=done) as shown:
        for tensor, width in asked:
            if (tensor, width) not in known:
                known[tensor, width] = measure(tensor, width)
                write_atomically(path, json.dumps([asdict(one) for one in known.values()], indent=1) + "\n")
                done += 1
                shown.update(done)
    found = tuple(known[one] for one in asked)
    refused = {(one.tensor, one.width) for one in found if one.noise is None}
    offered = tuple(
        SearchedTensor(one.layer, one.part, tuple(w for w in one.widths if (one.name, w) not in refused))
        for one in space
    )
    return Sensitivities(offered, found)


def _read(path: Path) -> list[Sensitivity]:
    try:
        return read_as(path, list[Sensitivity])
    except UnreadableError:
        return []


class _Measure:
    """Measures one width of one tensor after the other."""

    def __init__(self, model: Any, dataset: Dataset, project: ProjectConfig, space: tuple[SearchedTensor, ...]) -> None:
        self._model, self._project, self._space = model, project, space
        self._dataset, self._given = dataset, dataset.summary.input
        self._judge = judge_of(project, dataset)
        validation = dataset.val if len(dataset.val) else dataset.train
        chosen = spread(len(validation), MOST_IMAGES)
        self._images = LoadedImages(
            validation.read(chosen), validation.labels[chosen], validation.class_names, validation.input
        )
        self._floats = self._judge.outputs(predict_logits(model, self._images)).astype(np.float64)

    def __call__(self, tensor: str, width: Width) -> Sensitivity:
        proposal = widest(self._space) | ({tensor: width} if tensor != WIDEST else {})
        try:
            network = self._network(proposal)
        except NetworkError:
            if tensor == WIDEST:
                raise
            return Sensitivity(tensor, width, None, None, {})
        node = network.logits if self._judge.takes_logits else network.output
        codes = emulator.compile(network).run(self._inputs(proposal).pixels, keep=[node.name])[node.name]
        values = to_values(codes, node.type).reshape(self._floats.shape)
        off = float(np.mean((values - self._floats) ** 2) / max(float(np.var(self._floats)), 1e-30))
        score = self._judge.score(values, self._images)
        return Sensitivity(tensor, width, off, score.goodness, span_operations(network))

    def _inputs(self, proposal: Proposal) -> LoadedImages:
        kind = input_type(proposal, self._given)
        if kind == self._given.type:
            return self._images
        codes, _ = kind.encode(self._images.values(slice(None)))
        return LoadedImages(codes, self._images.labels, self._images.class_names, kind)

    def _network(self, proposal: Proposal) -> Network:
        from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
        from siliconv.quantize.training.calibration import choose_types

        changes = changes_of_proposal(self._space, proposal, self._project, self._given, None)
        recipe = _with_layers(self._project.quantize, changes["quantize.layers"])
        images = self._dataset.train.values(spread(len(self._dataset.train), recipe.calibration_images))
        kind = fixed_point_of(input_type(proposal, self._given))
        model = quantized_model(self._model, choose_types(self._model, recipe, images), input_type=kind)
        snap_weights(model)
        return lowered_network(
            model,
            name=c_identifier("measured"),
            ports=self._project.model.ports,
            class_names=self._dataset.class_names if self._judge.takes_logits else (),
            input_type=kind,
        )


def _with_layers(recipe: Recipe, layers: Mapping[str, Any]) -> Recipe:
    return Recipe.model_validate(
        {**recipe.model_dump(exclude={"start", "train"}), "layers": dict(layers), "train": None}
    )
