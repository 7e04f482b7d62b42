"""What the report says of the SystemVerilog core: only what was made of the network that the report is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from siliconv.certificate.certificate import RTL_CERTIFICATE, from_json
from siliconv.flow.artefacts import PACKED_FILE, read_json
from siliconv.flow.flow import Record, read_record
from siliconv.flow.output_state import content_hash

CYCLES, SYNTH, PLACE = "rtl_cycles.json", "synth.json", "place.json"
RTL_FILES = ("rtl/plan.json", RTL_CERTIFICATE, CYCLES, SYNTH, PLACE, PACKED_FILE)
"""What it reads, where it is there."""

STAGE_OF = {CYCLES: "rtlsim", SYNTH: "synth", PLACE: "place", PACKED_FILE: "bitstream"}
"""The stage that each file is from."""


def rtl_content(build: Path, network: str) -> dict[str, Any] | None:
    """Give what was planned, measured in simulation, mapped and placed; None where no core was written.

    Parameters
    ----------
    build
        The build folder.
    network
        The hash of the network: a core of another one is told as ``stale``, without its figures.
    """
    plan_file = build / "rtl" / "plan.json"
    if not plan_file.is_file():
        return None
    plan = read_json(plan_file)
    if plan.get("network") != network:
        return {"stale": True}
    of_plan = content_hash(plan_file)
    found = {name: _made_of(build / name, of_plan) for name in STAGE_OF}
    cycles, synth, place = (found[name] for name in (CYCLES, SYNTH, PLACE))
    packed = found[PACKED_FILE]
    if packed and packed["placed"] != content_hash(build / PLACE):
        found[PACKED_FILE] = None
    certificate = read_json(build / RTL_CERTIFICATE) if cycles and (build / RTL_CERTIFICATE).is_file() else None
    return {
        "stale": False,
        "plan": plan,
        "cycles": cycles,
        "synth": synth,
        "place": place,
        "certificate": certificate,
        "why_not": from_json(certificate).why_not if certificate else "",
        "times": _times(plan, cycles) if cycles else None,
        "blocks": _blocks(plan, synth),
        "stages": _stages(build, ["rtl", *(STAGE_OF[name] for name, content in found.items() if content)]),
    }


def _stages(build: Path, names: Sequence[str]) -> dict[str, Record]:
    """Give the records of stages, where they are there."""
    records = {name: read_record(build, name) for name in names}
    return {name: record for name, record in records.items() if record is not None}


def _made_of(path: Path, plan: str) -> dict[str, Any] | None:
    """Read what was made of the written core, if it is there and was."""
    content = read_json(path) if path.is_file() else None
    return content if content and content.get("plan") == plan else None


def _times(plan: dict[str, Any], cycles: dict[str, Any]) -> dict[str, Any]:
    """Give when results left each block in the simulation without pauses, as pictures of both cores take it."""
    busy = {block["name"]: block["busy"] for block in plan["blocks"]}
    layers = [{"name": one["node"], "spans": one["images"], "busy": busy.get(one["block"])} for one in cycles["times"]]
    end = max((last for one in cycles["times"] for _, last in one["images"]), default=0) + 1
    return {"source": "Verilator", "cycles": end, "layers": layers, "fifos": []}


def _blocks(plan: dict[str, Any], synth: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Put what Yosys counted beside each block that was planned; what stands outside of them comes last."""
    taken = dict(synth["by_block"]) if synth else {}
    rows = [{**block, "cells": taken.pop(block["name"], None)} for block in plan["blocks"]]
    rest = {kind: sum(one[kind] for one in taken.values()) for kind in ("lut", "ff", "dsp", "block_memory")}
    if taken:
        rows.append({"name": "", "node": "between the blocks", "kind": "", "products": 0, "busy": None, "cells": rest})
    return rows
