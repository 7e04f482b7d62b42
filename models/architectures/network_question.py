"""What is known of a network when its data are read, from its architecture."""

from __future__ import annotations

from siliconv.models.answers.task import Question, TaskChoice
from siliconv.models.architectures.architecture import Architecture, output_activation
from siliconv.models.architectures.shapes import layer_table


def question_of(architecture: Architecture, asked: TaskChoice, *, trains: bool) -> Question:
    """Give what a network is asked, its shapes, and the function that it ends in.

    Raises
    ------
    ModelError
        ``MODEL-...`` for an architecture that is impossible.
    """
    last, shape = layer_table(architecture)[-1], tuple(architecture.input_shape)
    return Question(asked, last.name, shape, last.output_shape, output_activation(architecture), trains=trains)
