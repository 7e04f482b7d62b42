"""What the three networks say of a user's inputs: float, quantized, and the compiled firmware itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from siliconv.errors import ProjectError
from siliconv.flow.flow import WORK
from siliconv.models.answers.several_answers import outputs_of
from siliconv.models.answers.task import Task
from siliconv.models.data.image_store import DataSummary, open_dataset
from siliconv.models.data.single_inputs import read_inputs
from siliconv.models.training.scoring import behind_logits
from siliconv.network import network_file, reference
from siliconv.network.fixed_point import Codes, exact_codes, to_values
from siliconv.network.graph import Network, Node
from siliconv.network.rows import rows_of, values_of
from siliconv.progress import Progress
from siliconv.project.finding import as_argument
from siliconv.project.project import ProjectConfig

CORES = ("firmware", "rtl")
"""Folders of the build folder, either of which can be asked."""

MOST_VALUES = 64
"""Values of an output that are told."""


@dataclass(frozen=True)
class Said:
    """An answer in the terms of the task, and the first `MOST_VALUES` values of the output behind its function.

    ``label``: the class, the labels that are there, or the numbers. ``score``: the class's probability, the least sure
    label's, or the mean square error of an input that is given again; None where numbers say all.
    """

    label: str
    score: float | None
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        """Give the answer in a few words."""
        return self.label if self.score is None else f"{self.label} ({self.score:.4f})"


@dataclass(frozen=True)
class Prediction:
    """Three answers on one input.

    ``same_bits``: whether firmware and quantized model gave the same logits to the bit; ``exact``: whether firmware and
    integer network did, which is what a certificate claims.
    """

    image: str
    float_model: Said
    quantized: Said
    firmware: Said
    same_bits: bool
    exact: bool


def predict_images(
    name: str, project: ProjectConfig, build: Path, images: Sequence[Path], *, progress: Progress
) -> tuple[Prediction, ...]:
    """Run inputs through the float model, the QKeras model and the compiled firmware.

    Parameters
    ----------
    name, project, build
        The project and its build folder.
    images
        Image files; or tables (.csv) and arrays (.npy) of numbers, one row or entry an input.
    progress
        Told of the compilation.

    Raises
    ------
    ProjectError
        ``PREDICT-BUILD`` if the project was not run up to the firmware.
    DataError
        ``DATA-IMAGE`` for a file that is no image, ``DATA-LAYOUT`` for numbers that are no inputs of the network.
    """
    from siliconv.flow.artefacts import load_float_model, load_quantized_model
    from siliconv.legacy_keras import double_precision

    if not any((build / core).is_dir() for core in CORES):
        raise ProjectError(
            "PREDICT-BUILD",
            "the project has no firmware yet",
            where=str(build),
            fix=f"siliconv run {as_argument(build.parent)}",
        )
    summary = open_dataset(build / "data").summary
    names, codes = read_inputs(images, project.data, summary, unit=project.model.unit)
    values = summary.input.type.decode(codes)
    floats, quantized = (
        np.asarray(model(values, training=False), dtype=np.float64)
        for model in (load_float_model(build), load_quantized_model(build))
    )
    network = network_file.load(build / "network")
    logits, outputs = network.decisions, network.outputs
    simulated = _simulated(build, network, project, codes.astype(np.int64), progress)
    expected = reference.run(network, codes.astype(np.int64), keep=[node.name for node in logits])
    firmware = values_of(logits, rows_of(logits, simulated))
    same = _equal(quantized, firmware)
    if not same.all():
        # QKeras' float32 may round where neither network nor firmware does.
        with double_precision():
            exact = np.asarray(load_quantized_model(build)(values, training=False))
        same |= _equal(exact, firmware)
    function = project.model.ports.outputs[0].function
    if summary.parts:
        answers = [_of_several(summary, values, one) for one in (floats, quantized, firmware)]
        answers[2] = [_behind(answer, node, simulated) for answer, node in zip(answers[2], outputs, strict=True)]
    else:
        answers = [
            [_Answers(summary.task, summary.class_names, values, _shown(one, function, summary.task))]
            for one in (floats, quantized, firmware)
        ]
        answers[2] = [_behind(answers[2][0], outputs[0], simulated)]
    names_of = [part.name for part in summary.parts]
    return tuple(
        Prediction(
            one,
            _together([answer.said(i) for answer in answers[0]], names_of),
            _together([answer.said(i) for answer in answers[1]], names_of),
            _together([answer.said(i) for answer in answers[2]], names_of),
            same_bits=bool(same[i]),
            exact=all(np.array_equal(expected[node.name][i], simulated[node.name][i]) for node in logits),
        )
        for i, one in enumerate(names)
    )


def _simulated(
    build: Path, network: Network, project: ProjectConfig, codes: Codes, progress: Progress
) -> Mapping[str, Codes]:
    """Give logits and output of the firmware, or of the SystemVerilog where there is no other, by their nodes."""
    if (build / "firmware").is_dir():
        from siliconv.hls.csim.csim import compile_project, simulate

        library = compile_project(build / "firmware", network.name, build / WORK / "csim", progress=progress)
        return simulate(library, network, codes)
    from siliconv.rtl.simulation.rtl_execution import rtl_runner
    from siliconv.stages.rtl_stages import written_design

    design = written_design(build, network, project.rtl)
    values = rtl_runner(design, build / "rtl", build / WORK / "rtl_predicted", progress=progress)(codes).values
    wanted = (*network.decisions, *network.outputs)
    hidden = [node.name for node in wanted if node.name not in values]
    if hidden:
        raise ProjectError(
            "PREDICT-BUILD",
            f"the SystemVerilog keeps the logits ('{hidden[0]}') inside a block, and there is no other firmware",
            where=str(build),
            fix="siliconv run PROJECT builds the core hls4ml",
        )
    return {node.name: exact_codes(values[node.name], node.type, where=node.name) for node in wanted}


@dataclass(frozen=True, eq=False)
class _Answers:
    """What one network gave at an output, behind the function at its end."""

    task: Task
    names: tuple[str, ...]
    inputs: np.ndarray
    outputs: np.ndarray

    def said(self, number: int) -> Said:
        """Give the answer on one input."""
        output, names, task = self.outputs[number], self.names, self.task
        values = tuple(float(one) for one in output.reshape(-1)[:MOST_VALUES])
        if task == "classification":
            chosen = int(output.argmax())
            return Said(names[chosen], float(output[chosen]), values)
        if task == "multilabel":
            there = [name for name, value in zip(names, output, strict=True) if value > 0.5]
            return Said(", ".join(there) or "none", float(np.maximum(output, 1 - output).min()), values)
        if task == "autoencoder":
            error = float(np.mean((output.astype(np.float64) - self.inputs[number]) ** 2))
            return Said("reconstruction error", error, values)
        return Said(_in_words(task, names, values, output.size), None, values)


def _of_several(summary: DataSummary, inputs: np.ndarray, logits: np.ndarray) -> list[_Answers]:
    """Give the answers of each output of a network that gave rows of logits."""
    found = []
    for number, part in enumerate(summary.parts):
        of_part = outputs_of(number, summary.parts, logits)
        found.append(_Answers(part.task, part.names, inputs, _shown(of_part, part.function, part.task)))
    return found


def _behind(answer: _Answers, output: Node, simulated: Mapping[str, Codes]) -> _Answers:
    """Take what the firmware itself gives behind a function in place of what is computed of its logits."""
    if answer.task not in ("regression", "autoencoder", "none"):
        return answer
    return replace(answer, outputs=to_values(simulated[output.name], output.type))


def _together(said: Sequence[Said], names: Sequence[str]) -> Said:
    """Put the answers of several outputs into one; that of a single one stays as it is."""
    if not names:
        return said[0]
    label = "; ".join(f"{name}: {one}" for name, one in zip(names, said, strict=True))
    return Said(label, None, tuple(value for one in said for value in one.values)[:MOST_VALUES])


def _in_words(task: Task, names: Sequence[str], values: Sequence[float], count: int) -> str:
    if task == "regression" and len(names) == count:
        return ", ".join(f"{name} {value:.6g}" for name, value in zip(names, values, strict=False))
    shown = ", ".join(f"{value:.6g}" for value in values[:4])
    return shown + (f", ... ({count} values)" if count > 4 else "")


def _shown(logits: np.ndarray, function: str | None, task: Task) -> np.ndarray:
    """Give what is told of logits: probabilities of classes or labels, or what stands behind the function."""
    from siliconv.models.pictures import probabilities

    if task == "classification":
        return probabilities(logits)
    return behind_logits(logits, "sigmoid" if task == "multilabel" else function)


def _equal(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether the outputs of each input are equal, (n,)."""
    return np.asarray((one == other).reshape(len(one), -1).all(axis=1))
