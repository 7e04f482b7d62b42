"""What moves with bits: networks with the same bits everywhere, in each core.

Usage: python benchmarks/uniform_bits.py [PRESET...] [--project FOLDER...] [--bits 2 3 4 5 6] [--recipe FILE...]
           [--unrolled NAME...] [--json FILE]

PRESET is untrained, with the types that calibration gives it: costs alone. FOLDER is a project that was run up to
``train``: its recipe with other bits, fine-tuned as it says, for an accuracy too. Biases keep 8 bits, pixels as well.
A FILE after `--recipe` holds fields of such a recipe, for bits by layer.

Costs are estimates: hls4ml's streams with at most 64 multipliers a layer (else as the project says), at C synthesis;
the SystemVerilog core for 7 series at the same interval. Of networks named by `--unrolled` also with every product
a circuit of its own: the estimate for hls4ml's distributed arithmetic, and da4ml's count, in which adders are shared.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from presets_exact import quantized
from unrolled_luts import unrolled_luts

from siliconv.errors import SiliconvError
from siliconv.flow.artefacts import judge_of, load_float_model, network_outputs
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import Strategy
from siliconv.models.data.image_store import open_dataset
from siliconv.network.emulator import emulator
from siliconv.network.graph import Conv, Network
from siliconv.network.span import span_operations
from siliconv.progress import Silent, for_terminal
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import load_project
from siliconv.rtl.plan.lanes import lanes_for_interval
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.predicted_cells import predicted

MULTIPLIERS = 64
IMAGES = 16


def main() -> None:
    """Measure and print, and write the figures after each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", metavar="PRESET")
    parser.add_argument("--project", nargs="*", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--bits", nargs="+", type=int, default=[2, 3, 4, 5, 6])
    parser.add_argument("--recipe", nargs="*", type=Path, default=[], metavar="FILE")
    parser.add_argument("--unrolled", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/uniform_bits"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, Any] = {}
    for name, folder in [
        *((name, None) for name in arguments.presets),
        *((one.name, one) for one in arguments.project),
    ]:
        recipes: dict[str, dict[str, Any]] = {
            **{str(bits): {"weights": bits, "activations": bits} for bits in arguments.bits},
            **{path.stem: json.loads(path.read_text(encoding="utf-8")) for path in arguments.recipe if folder},
        }
        for bits, recipe in recipes.items():
            network, found = (
                (quantized(name, IMAGES, **recipe)[0], {})
                if folder is None
                else fine_tuned(folder, recipe, arguments.work / f"{name}-{bits}")
            )
            config = HlsConfig() if folder is None else load_project(folder).hls
            found |= costs(
                network, config.model_copy(update={"max_multipliers": MULTIPLIERS}), name in arguments.unrolled
            )
            figures.setdefault(f"{name}, {'untrained' if folder is None else 'fine-tuned'}", {})[bits] = found
            print(name, bits, json.dumps(found), flush=True)
            if arguments.json:
                write_atomically(arguments.json, json.dumps(figures, indent=1) + "\n")


def fine_tuned(folder: Path, changes: Mapping[str, Any], work: Path) -> tuple[Network, dict[str, Any]]:
    """Quantize the float network of a project by its changed recipe; give it and its accuracies."""
    from siliconv.quantize.lowering.lowering import lower
    from siliconv.quantize.training.fine_tuning import quantize

    project = load_project(folder)
    recipe = type(project.quantize)(**{**project.quantize.model_dump(mode="json"), **changes})
    dataset = open_dataset(folder / "build" / "data")
    found = quantize(load_float_model(folder / "build"), dataset, recipe, work=work, progress=for_terminal())
    network = lower(found.model, name=folder.name)
    judge = judge_of(project, dataset)
    compiled, logits = emulator.compile(network), network.logits.name
    found_right = {}
    for part, images in (("validation", dataset.val), ("test", dataset.test)):
        given = judge.outputs(network_outputs(compiled, images, [logits], Silent())[logits])
        found_right[part] = round(judge.score(given, images).value, 4)
    return network, {**found_right, "helped": found.helped}


def costs(network: Network, config: HlsConfig, unrolled: bool) -> dict[str, Any]:
    """Give span bit operations, and what each core takes."""
    streams = estimate(design_of(network, config))
    interval = round(streams.interval_cycles.value)
    rtl = predicted(plan(network, lanes_for_interval(network, interval)), "xc7").by_resource()
    found: dict[str, Any] = {
        "span_operations": sum(span_operations(network).values()),
        "hls4ml streams": {**of_estimate(streams), "interval_cycles": interval},
        "rtl": {name: round(count) for name, count in rtl.items()},
    }
    if unrolled:
        found["hls4ml distributed arithmetic"] = adders(network, config)
        found["da4ml_lut"] = unrolled_luts(network)
    return found


def adders(network: Network, config: HlsConfig) -> dict[str, Any] | str:
    """Give the estimate for distributed arithmetic, or the code of its refusal."""
    positions = {node.name: prod(node.shape[:-1]) for node in network.of_kind(Conv)}
    unrolled = {"io_type": "io_parallel", "strategy": Strategy.DISTRIBUTED_ARITHMETIC}
    try:
        return of_estimate(
            estimate(design_of(network, config.model_copy(update={**unrolled, "parallelization_factors": positions})))
        )
    except SiliconvError as error:
        return error.code


def of_estimate(found: Any) -> dict[str, int]:
    """Give the values of an estimate."""
    return {name: round(getattr(found, name).value) for name in ("lut", "ff", "dsp", "bram18")}


if __name__ == "__main__":
    main()
