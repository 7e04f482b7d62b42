"""The integer network of a QKeras model that is taken as it is: known before anything is run, as nothing is trained.

Lowering takes Keras, and so seconds in a process of its own; what comes out of it is kept for the next command.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from siliconv.flow.apart import call_apart
from siliconv.flow.taken_artefacts import read_taken, save_taken
from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Network
from siliconv.plan.taken_cache import kept_network
from siliconv.progress import Progress, Silent
from siliconv.project.project import ProjectConfig, c_identifier
from siliconv.project.taken_project import taken, unquantized
from siliconv.quantize.recipe import Unquantized


def network_of_taken(name: str, project: ProjectConfig, input_type: FixedPoint) -> Network | None:
    """Lower the QKeras model of a project for an input type; None for a project whose network is a float one.

    Raises
    ------
    ModelError, NetworkError
        For a model that cannot be taken, or what of it has no exact form.
    """
    file = taken(project)
    if file is None:
        return None
    with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
        folder, bits = Path(scratch), unquantized(project)
        save_taken(file.model, file.weights, folder)

        def make(folder: Path) -> None:
            call_apart(lower_taken, folder, bits, input_type, progress=Silent())

        network = kept_network(folder, f"{bits.model_dump_json()} {input_type}", __name__, make)
        return replace(network, name=c_identifier(name))


def lower_taken(folder: Path, bits: Unquantized, input_type: FixedPoint, *, progress: Progress) -> None:
    """Lower the model in a folder, and write ``network/`` beside it."""
    from siliconv.models.qkeras_files.taken_ports import ports_of_taken
    from siliconv.quantize.taken.taken_model import taken_model
    from siliconv.quantize.taken.unquantized import with_quantizers
    from siliconv.stages.lowered_network import lowered_network

    model, weights = read_taken(folder)
    found, arrays, _ = with_quantizers(model, weights, bits)
    live = taken_model(found, arrays)
    network = lowered_network(live, name="taken", ports=ports_of_taken(model), input_type=input_type)
    network_file.save(network, folder / "network")
