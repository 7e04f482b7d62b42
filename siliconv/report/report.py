"""The report: one self-contained HTML file about a project's networks, their certificate and their hardware."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from functools import partial
from importlib import resources
from math import prod
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from siliconv.certificate.certificate import from_json
from siliconv.counting import example_word
from siliconv.errors import DAMAGE
from siliconv.flow.artefacts import AGREEMENT_FILE, RANGES_FILE, read_json
from siliconv.hls.estimate.coefficients import cross_validated_errors
from siliconv.project.project import ProjectConfig
from siliconv.project.remembered_front import FRONTS, read_front
from siliconv.report.drawings import block_diagram, fifo_curves, stacked, waterfall
from siliconv.report.first_screen import first_screen
from siliconv.report.front_drawing import Scatter, fit_scatter, search_scatter
from siliconv.report.range_drawing import range_chart
from siliconv.report.rtl_content import rtl_content
from siliconv.report.verdicts import RESOURCE_TITLES, origins
from siliconv.rtl.writing.board_tops import BOARD_TOPS

TEMPLATES = Environment(
    loader=PackageLoader("siliconv.report", "templates"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html", "j2"], default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["percent"] = lambda share: f"{100 * share:.2f} %"
TEMPLATES.filters["measure"] = lambda value, metric: f"{100 * value:.2f} %" if "accuracy" in metric else f"{value:.4g}"
TEMPLATES.filters["thousands"] = lambda number: f"{number:,.0f}"
TEMPLATES.filters["origins"] = origins
TEMPLATES.globals["part_of_page"] = lambda name: Markup(
    resources.files("siliconv.report").joinpath(f"templates/{name}").read_text("utf-8")
)

_BLOCK_TITLES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "block_memory": "block memories"}


def write_report(
    name: str, project: ProjectConfig, stages: Sequence[str], build: Path, pictures: Path, path: Path
) -> None:
    """Write the report of a build.

    Parameters
    ----------
    name, project
        The project.
    stages
        Stages whose time and memory are shown, in order.
    build
        The build folder with the artefacts of all stages before the report.
    pictures
        The folder of `siliconv.report.report_pictures.draw_pictures`.
    path
        The HTML file to write; the pictures are inside it.
    """
    content_of_certificate = read_json(build / "csim.json")
    certificate = from_json(content_of_certificate)
    keras = build / "float" / AGREEMENT_FILE
    content: dict[str, Any] = {
        "name": name,
        "project_text": _project_text(project, build.parent),
        "data": read_json(build / "data" / "dataset.json"),
        "metrics": {kind: read_json(build / kind / "metrics.json") for kind in ("float", "quantized", "network")},
        "calibration": read_json(build / "quantized" / "calibration.json"),
        "sparsity": read_json(build / "quantized" / "sparsity.json"),
        "network": read_json(build / "network" / "network.json"),
        "agreement": read_json(build / "network" / "agreement.json"),
        "keras": read_json(keras) if keras.is_file() else None,
        "firmware": read_json(build / "firmware" / "siliconv.json"),
        "certificate": content_of_certificate,
        "why_not": certificate.why_not,
        "reached": certificate.reached,
        "estimate": read_json(build / "estimate.json"),
        "estimator_errors": cross_validated_errors(),
        "pictures": _pictures(pictures),
        "rtl": rtl_content(build, content_of_certificate["hashes"]["network"]),
        "stages": {stage: read_json(build / ".stages" / f"{stage}.json") for stage in stages},
    }
    if content["rtl"] is not None and not content["rtl"]["stale"]:
        board = project.rtl.board_top
        content["rtl"]["asked_mhz"] = float(BOARD_TOPS[board].clock_mhz) if board else project.rtl.clock_mhz
    content["thing"] = example_word(content["data"]["shape"])
    content["things"] = f"{content['thing']}s"
    if content["rtl"] is not None and not content["rtl"]["stale"]:
        content["stages"] |= content["rtl"]["stages"]
    content["parts"] = _parts(content, pictures)
    content["screen"] = first_screen(content, project, build / "csim.json")
    content["drawings"] = _drawings(content, build)
    path.write_text(TEMPLATES.get_template("report.html.j2").render(content), encoding="utf-8")


def _project_text(project: ProjectConfig, folder: Path) -> str:
    """Write what the project says, with paths as seen from its folder: where that lies is nobody's business."""

    def shown(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shown(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [shown(inner) for inner in value]
        if isinstance(value, str) and Path(value).is_absolute():
            seen = os.path.relpath(value, folder)
            return Path(value).name if seen.startswith("..") else seen
        return value

    return str(yaml.safe_dump(shown(project.model_dump(mode="json", exclude_unset=True)), sort_keys=False))


def _drawings(content: dict[str, Any], build: Path) -> dict[str, Any]:
    """Lay out the report's own pictures; None, or nothing, where there is nothing to draw."""
    estimate, rtl = content["estimate"], content["rtl"]
    has_rtl = rtl is not None and not rtl["stale"]
    layers = estimate["layers"] if estimate["source"] != "none" else ()
    by_layer = [(one["name"], one["logic_synthesis"]) for one in layers]
    by_block = [(one["node"], one["cells"]) for one in rtl["blocks"] if one["cells"]] if has_rtl else []
    scatters, unreadable = _scatters(build, content["things"])
    times = estimate.get("times")
    return {
        "blocks": block_diagram(content["network"]["nodes"], _notes(content, has_rtl)),
        "hls_times": waterfall(times, content["thing"]) if times else None,
        "fifos": fifo_curves(times) if times else (),
        "rtl_times": waterfall(rtl["times"], content["thing"]) if has_rtl and rtl["times"] else None,
        "hls_resources": stacked(by_layer, RESOURCE_TITLES) if by_layer else None,
        "rtl_resources": stacked(by_block, _BLOCK_TITLES) if by_block else None,
        "scatters": scatters,
        "unreadable": unreadable,
        "ranges": range_chart(read_json(build / "network" / RANGES_FILE)),
    }


def _scatters(build: Path, things: str) -> tuple[list[Scatter], list[str]]:
    """Lay out what searches found last, and name what cannot be read of it."""
    found: list[Scatter] = []
    unreadable: list[str] = []
    draw_fit = partial(fit_scatter, things=things)
    for kind, draw in ((FRONTS[0], search_scatter), (FRONTS[1], draw_fit), (FRONTS[2], draw_fit)):
        front = read_front(build, kind)
        try:
            found += [draw(front)] if front is not None else []
        except DAMAGE:
            unreadable.append(kind)
    return found, unreadable


def _notes(content: dict[str, Any], has_rtl: bool) -> dict[str, list[str]]:
    """Say of each node what the cores do for it: the reuse factor in hls4ml's, the products a cycle in the other."""
    found: dict[str, list[str]] = {}
    for layer in content["firmware"]["layers"]:
        if layer["products"]:
            factor, pixels = layer["reuse_factor"], layer["parallelization_factor"]
            products = pixels * -(-prod(layer["products"]) // factor)
            found.setdefault(layer["name"], []).append(f"reuse factor {factor}: {products:,} products a cycle")
    for block in content["rtl"]["plan"]["blocks"] if has_rtl else ():
        if block["products"]:
            found.setdefault(block["node"], []).append(f"SystemVerilog: {block['products']:,} products a cycle")
    return found


def _parts(content: dict[str, Any], pictures: Path) -> dict[str, dict[str, Any]]:
    """Give task, metrics and pictures of each of several outputs by name."""
    return {
        part["name"]: {
            "task": part["task"],
            "metrics": {kind: metrics["outputs"][part["name"]] for kind, metrics in content["metrics"].items()},
            "pictures": _pictures(pictures / part["name"]),
        }
        for part in content["data"].get("parts", ())
    }


def _pictures(folder: Path) -> dict[str, str]:
    """Give what of a folder stands in the page: vector pictures as they are, others as the address of their bytes."""
    found = {picture.stem: _as_uri(picture) for picture in sorted(folder.glob("*.png"))}
    return found | {path.stem: _in_page(path.read_text("utf-8")) for path in sorted(folder.glob("*.svg"))}


def _in_page(drawing: str) -> Markup:
    """Give a vector picture without what only a file of its own needs."""
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawing).replace("xlink:href", "href"))


def _as_uri(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
