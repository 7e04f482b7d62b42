"""What a network is asked: a class, several yes or no, numbers, its input again, or nothing that could be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal["classification", "multilabel", "regression", "autoencoder", "none"]
TaskChoice = Literal["auto", "classification", "multilabel", "regression", "autoencoder", "none"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """What is known of a network when its data are read.

    Parameters
    ----------
    asked
        What the project says; ``auto`` finds it from network and labels.
    layer
        Name of the last layer.
    inputs, output
        Shapes of one input and of its output.
    function
        The sigmoid or softmax at the end, or None.
    trains
        Whether anything is trained, which needs right answers.
    """

    asked: TaskChoice
    layer: str
    inputs: Shape
    output: Shape
    function: str | None = None
    trains: bool = False

    @property
    def repeats_its_input(self) -> bool:
        """Whether the output could be the input again."""
        return self.inputs == self.output

    @property
    def output_in_words(self) -> str:
        """The output's shape, for messages."""
        return "x".join(str(size) for size in self.output) or "a single number"
