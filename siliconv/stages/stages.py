"""The stages in the order of the data: eight from images to report, five of the SystemVerilog core."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np

from siliconv.flow.artefacts import PACKED_FILE
from siliconv.flow.flow import Stage
from siliconv.flow.synthesis_file import SYNTHESIS_FILE
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.data.datasets import source_fingerprint
from siliconv.project.calibration_file import CALIBRATION_FILE, user_calibration
from siliconv.project.project import ProjectConfig
from siliconv.project.taken_project import taken
from siliconv.quantize.training.start import start_hash
from siliconv.report.rtl_content import RTL_FILES
from siliconv.stages.firmware_stages import (
    BEFORE_REPORT,
    estimate_hardware,
    simulate_firmware,
    write_firmware,
    write_html_report,
)
from siliconv.stages.network_stages import lower_network, prepare_data, quantize_network, train_network
from siliconv.stages.rtl_stages import BITSTREAM_FILE, pack_rtl, place_rtl, simulate_rtl, synthesize_rtl, write_rtl

KERAS_LIBRARIES = ("tensorflow", "tf-keras", "qkeras", "numpy")


def _weights_hash(weights: Weights) -> str:
    digest = hashlib.sha256()
    for name, arrays in sorted(weights.items()):
        for values in arrays:
            digest.update(f"{name} {values.shape} {values.dtype}\n".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _layers_of(project: ProjectConfig) -> dict[str, Any]:
    file = taken(project)
    described = project.model.architecture if file is None else file.model
    return described.model_dump(mode="json")


_NETWORK_CODE = ("siliconv.network.network_file", "siliconv.network.reference")
_RTL_CODE = ("siliconv.stages.rtl_stages", "siliconv.rtl.design.rtl_design")

STAGES: tuple[Stage, ...] = (
    Stage(
        "data",
        prepare_data,
        outputs=("data",),
        needs=(),
        settings=lambda project: {
            "data": project.data.model_dump(mode="json"),
            "files": source_fingerprint(project.data),
            "question": asdict(project.question),
            "percentile": project.percentile,
            "unit": project.model.unit,
        },
        modules=("siliconv.models.data.datasets",),
        libraries=("pillow", "scikit-learn", "numpy"),
    ),
    Stage(
        "train",
        train_network,
        outputs=("float",),
        needs=("data",),
        settings=lambda project: {
            "architecture": _layers_of(project),
            "train": project.train.model_dump(mode="json") if project.train else None,
            "loss": project.train.code_of_loss if project.train else None,
            "weights": _weights_hash(project.initial_weights),
        },
        modules=(
            "siliconv.models.training.float_model",
            "siliconv.models.architectures.folding",
            "siliconv.models.answers.evaluation",
            "siliconv.models.architectures.user_model",
            "siliconv.stages.keras_agreement",
            "siliconv.stages.taken_stages",
            "siliconv.quantize.taken.taken_model",
        ),
        libraries=KERAS_LIBRARIES,
        instructions=True,
    ),
    Stage(
        "quantize",
        quantize_network,
        outputs=("quantized",),
        needs=("data", "train"),
        settings=lambda project: {
            "quantize": project.quantize.model_dump(mode="json", exclude={"start", "simplify"}),
            "start": start_hash(project.quantize.start),
            "losses": {place: config.code_of_loss for place, config in project.trainings.items()},
            "dropout": project.train.dropout if project.train else None,
        },
        modules=("siliconv.quantize.training.fine_tuning", "siliconv.stages.taken_stages"),
        libraries=(*KERAS_LIBRARIES, "tensorflow-model-optimization"),
        instructions=True,
    ),
    Stage(
        "lower",
        lower_network,
        outputs=("network",),
        needs=("data", "quantize"),
        settings=lambda project: {
            **project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
            "simplify": project.quantize.simplify,
        },
        modules=(
            *_NETWORK_CODE,
            "siliconv.stages.lowered_network",
            "siliconv.stages.simplified_network",
            "siliconv.quantize.lowering.agreement",
            "siliconv.quantize.taken.exact_model",
            "siliconv.network.explanation.ranges",
            "siliconv.network.emulator.emulator",
            "siliconv.network.vectors.corners",
            "siliconv.network.vectors.directed",
        ),
        libraries=(*KERAS_LIBRARIES, "onnxruntime"),
    ),
    Stage(
        "convert",
        write_firmware,
        outputs=("firmware",),
        needs=("data", "lower"),
        settings=lambda project: {
            "hls": project.hls.model_dump(mode="json"),
            "csim": project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
        },
        modules=(
            *_NETWORK_CODE,
            "siliconv.stages.firmware_project",
            "siliconv.network.vectors.corners",
            "siliconv.network.vectors.directed",
        ),
        libraries=("hls4ml", "da4ml"),
        regrown=(
            "csim/*.o",
            "csim/*.so",
            "csim/*.partial",
            "csim/testbench",
            "csim/axi_testbench",
            "*__pycache__/*.pyc",
        ),
    ),
    Stage(
        "csim",
        simulate_firmware,
        outputs=("csim.json",),
        needs=("data", "train", "quantize", "lower", "convert"),
        settings=lambda project: project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
        modules=(*_NETWORK_CODE, "siliconv.certificate.certification", "siliconv.network.vectors.corners"),
    ),
    Stage(
        "estimate",
        estimate_hardware,
        outputs=("estimate.json",),
        needs=("lower",),
        settings=lambda project: {"hls": project.hls.model_dump(mode="json"), "calibration": user_calibration()},
        modules=(
            *_NETWORK_CODE,
            "siliconv.stages.hardware_estimate",
            "siliconv.hls.calibration.own_calibration",
        ),
        beside=(SYNTHESIS_FILE, f"../{CALIBRATION_FILE}"),
    ),
    Stage(
        "report",
        write_html_report,
        outputs=("report.html", "pictures"),
        needs=BEFORE_REPORT,
        settings=lambda project: project.model_dump(mode="json"),
        modules=("siliconv.report.report", "siliconv.report.report_pictures"),
        libraries=("matplotlib", "jinja2"),
        beside=RTL_FILES,
    ),
)
"""In the order of the data."""

RTL_STAGES: tuple[Stage, ...] = (
    Stage(
        "rtl",
        write_rtl,
        outputs=("rtl",),
        needs=("data", "lower"),
        settings=lambda project: {
            "rtl": project.rtl.model_dump(mode="json", exclude={"part", "board", "clock_mhz", "seed"}),
            "block_design": project.rtl.block_design,
            "csim": project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
        },
        modules=(*_NETWORK_CODE, *_RTL_CODE, "siliconv.rtl.writing.rtl_project", "siliconv.network.vectors.corners"),
        libraries=("jinja2",),
    ),
    Stage(
        "rtlsim",
        simulate_rtl,
        outputs=("rtlsim.json", "rtl_cycles.json"),
        needs=("data", "lower", "rtl"),
        settings=lambda project: project.csim.model_dump(mode="json", include={"images", "corner_vectors"}),
        modules=(*_NETWORK_CODE, *_RTL_CODE, "siliconv.certificate.rtl_certification"),
    ),
    Stage(
        "synth",
        synthesize_rtl,
        outputs=("rtl_netlist", "synth.json"),
        needs=("lower", "rtl"),
        settings=lambda project: [project.rtl.family, project.rtl.board],
        modules=(*_RTL_CODE, "siliconv.rtl.synthesis.yosys"),
    ),
    Stage(
        "place",
        place_rtl,
        outputs=("rtl_placed", "place.json"),
        needs=("lower", "rtl", "synth"),
        settings=lambda project: project.rtl.model_dump(mode="json", include={"part", "board", "clock_mhz", "seed"}),
        modules=("siliconv.rtl.synthesis.nextpnr",),
    ),
    Stage(
        "bitstream",
        pack_rtl,
        outputs=(BITSTREAM_FILE, PACKED_FILE),
        needs=("lower", "rtl", "place"),
        settings=lambda project: [project.rtl.part, project.rtl.board],
        modules=("siliconv.rtl.synthesis.nextpnr",),
    ),
)
"""The SystemVerilog core, behind the integer network."""

STAGE_NAMES = tuple(stage.name for stage in (*STAGES, *RTL_STAGES))


def road_to(until: str) -> tuple[Stage, ...]:
    """Give a stage and all that it needs, whatever else the project could make."""
    known = {stage.name: stage for stage in (*STAGES, *RTL_STAGES)}
    needed, waiting = set(), [until]
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting.extend(known[name].needs)
    return tuple(stage for name, stage in known.items() if name in needed)
