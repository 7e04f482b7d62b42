"""What a network is asked: a class, several yes or no, numbers, its input again, or nothing that could be judged."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

Task = Literal["classification", "multilabel", "regression", "autoencoder", "none", "several"]
"""`several`: each of several outputs has a task of its own."""
TaskChoice = Literal["auto", "classification", "multilabel", "regression", "autoencoder", "none"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class AnswerPart:
    """One of several outputs: its name, task and shape, the function at its end, and names of its classes or targets.

    ``width``: numbers that its right answers have in the row of those of all outputs.
    """

    name: str
    task: Task
    shape: Shape
    function: str | None
    names: tuple[str, ...]
    width: int

    @property
    def values(self) -> int:
        """Numbers that it has in the row of all outputs."""
        return prod(self.shape)


@dataclass(frozen=True)
class Question:
    """What is known of a network when its data are read.

    Parameters
    ----------
    asked
        What the project says; ``auto`` finds it from network and labels; ``several`` where `parts` are asked.
    layer
        Name of the last layer.
    inputs, output
        Shapes of one input and of its output.
    function
        The sigmoid or softmax at the end, or None.
    trains
        Whether anything is trained, which needs right answers.
    ports
        Name and shape of each of several inputs.
    parts
        Of several outputs, what each is asked.
    """

    asked: TaskChoice | Literal["several"]
    layer: str
    inputs: Shape
    output: Shape
    function: str | None = None
    trains: bool = False
    ports: tuple[tuple[str, Shape], ...] = ()
    parts: tuple[Question, ...] = ()

    @property
    def repeats_its_input(self) -> bool:
        """Whether the output could be the input again."""
        return self.inputs == self.output

    @property
    def output_in_words(self) -> str:
        """The output's shape, for messages."""
        return "x".join(str(size) for size in self.output) or "a single number"
