"""The report: one self-contained HTML file about a project's networks, their certificate and their hardware."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from siliconv.certificate.certificate import from_json
from siliconv.flow.artefacts import AGREEMENT_FILE, read_json
from siliconv.hls.estimate.coefficients import cross_validated_errors
from siliconv.project.project import ProjectConfig
from siliconv.report.rtl_content import rtl_content

TEMPLATES = Environment(
    loader=PackageLoader("siliconv.report", "templates"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html", "j2"], default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["percent"] = lambda share: f"{100 * share:.2f} %"
TEMPLATES.filters["measure"] = lambda value, metric: f"{100 * value:.2f} %" if "accuracy" in metric else f"{value:.4g}"
TEMPLATES.filters["thousands"] = lambda number: f"{number:,.0f}".replace(",", "\u202f")


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
    content_of_certificate = _read(build / "csim.json")
    certificate = from_json(content_of_certificate)
    content = {
        "name": name,
        "project_text": yaml.safe_dump(project.model_dump(mode="json", exclude_unset=True), sort_keys=False),
        "data": _read(build / "data" / "dataset.json"),
        "metrics": {kind: _read(build / kind / "metrics.json") for kind in ("float", "quantized", "network")},
        "calibration": _read(build / "quantized" / "calibration.json"),
        "sparsity": _read(build / "quantized" / "sparsity.json"),
        "network": _read(build / "network" / "network.json"),
        "agreement": _read(build / "network" / "agreement.json"),
        "keras": _read(build / "float" / AGREEMENT_FILE) if (build / "float" / AGREEMENT_FILE).is_file() else None,
        "firmware": _read(build / "firmware" / "siliconv.json"),
        "certificate": content_of_certificate,
        "why_not": certificate.why_not,
        "reached": certificate.reached,
        "estimate": _read(build / "estimate.json"),
        "estimator_errors": cross_validated_errors(),
        "pictures": _pictures(pictures),
        "rtl": rtl_content(build, content_of_certificate["hashes"]["network"]),
        "stages": {stage: _read(build / ".stages" / f"{stage}.json") for stage in stages},
    }
    content["parts"] = _parts(content, pictures)
    path.write_text(TEMPLATES.get_template("report.html.j2").render(content), encoding="utf-8")


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
    return {picture.stem: _as_uri(picture) for picture in sorted(folder.glob("*.png"))}


def _read(path: Path) -> Any:
    return read_json(path)


def _as_uri(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
