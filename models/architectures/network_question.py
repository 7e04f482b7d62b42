"""What is known of a network when its data are read, from its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from siliconv.errors import ModelError
from siliconv.models.answers.task import Question, TaskChoice
from siliconv.models.architectures.ports import Ports
from siliconv.models.architectures.shapes import Shape


def question_of(ports: Ports, shape: Shape, asked: TaskChoice | Mapping[str, TaskChoice], *, trains: bool) -> Question:
    """Give what a network is asked, its shapes, and the functions that it ends in.

    Parameters
    ----------
    ports
        Its inputs and outputs.
    shape
        Of its input, a row of several.
    asked
        The task, or that of each of several outputs by name.
    trains
        Whether anything is trained.

    Raises
    ------
    ModelError
        ``TASK-OUTPUT`` for a task of an output that there is not.
    """
    names = [port.name for port in ports.outputs]
    tasks = asked if isinstance(asked, Mapping) else dict.fromkeys(names, asked)
    if unknown := sorted(set(tasks) - set(names)):
        raise ModelError(
            "TASK-OUTPUT",
            f"a task for '{unknown[0]}', which is no output",
            where="task",
            fix="use the outputs' names: " + ", ".join(names),
        )
    inputs = tuple((port.name, port.shape) for port in ports.inputs)
    if len(names) == 1:
        (port,) = ports.outputs
        return Question(tasks.get(port.name, "auto"), port.name, shape, port.shape, port.function, trains, inputs)
    parts = tuple(
        Question(tasks.get(port.name, "auto"), port.name, (), port.shape, port.function, trains)
        for port in ports.outputs
    )
    total = (sum(prod(port.shape) for port in ports.outputs),)
    return Question("several", "output", shape, total, None, trains, inputs, parts)
