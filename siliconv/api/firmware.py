"""A network with the firmware that it becomes: run it, prove it, estimate it, write it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from siliconv.api.codes import Inputs, as_codes
from siliconv.api.estimate import HardwareEstimate
from siliconv.errors import ProjectError
from siliconv.flow.apart import call_apart
from siliconv.flow.artefacts import read_json, write_json
from siliconv.flow.taken_artefacts import is_taken
from siliconv.hls.configuration import HlsConfig
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import Network, Node
from siliconv.progress import Progress, for_terminal

if TYPE_CHECKING:
    from siliconv.certificate.certificate import Certificate
    from siliconv.network.emulator import Emulator

SETTINGS_FILE, VECTORS_FILE, CERTIFICATE_FILE = "hls.json", "vectors.npy", "csim.json"
PARTS = ("float", "quantized", "network", "firmware", SETTINGS_FILE, VECTORS_FILE, CERTIFICATE_FILE)


class Firmware:
    """A quantized network and its firmware, made by `siliconv.convert`, `siliconv.load` or `Project.firmware`.

    Images are unsigned 8-bit arrays, (n, *input shape), or whatever the network's input type holds. Integers are its
    codes. Floating-point numbers are its values, which have to be multiples of its last place.

    It works in a temporary folder of its own: what it was made from stays as it is, and `save` keeps it.

    Parameters
    ----------
    source
        A folder laid out as a project's build folder; ``network/`` has to be there.
    hls
        What the firmware is made with.
    project
        The folder of the project that it is of, whose own calibration its estimates use.
    progress
        Gets the progress of long work; a bar on a terminal and lines elsewhere by default.
    """

    def __init__(
        self, source: Path, hls: HlsConfig, *, project: Path | None = None, progress: Progress | None = None
    ) -> None:
        self.hls = hls
        self._scratch = tempfile.TemporaryDirectory(prefix="siliconv-")
        self._folder = Path(self._scratch.name)
        self._project = project
        self._progress = progress or for_terminal()
        self._certificate: Certificate | None = None
        copy_parts(source, self._folder)

    @cached_property
    def network(self) -> Network:
        """The integer network: what the firmware computes, bit by bit."""
        return network_file.load(self._folder / "network")

    @property
    def name(self) -> str:
        """The name of the network, and of the firmware's top function."""
        return self.network.name

    @cached_property
    def _emulator(self) -> Emulator:
        from siliconv.network.emulator import compile

        return compile(self.network)

    def predict(self, images: Inputs) -> NDArray[np.float64] | list[NDArray[np.float64]]:
        """Compute the network's output, exactly as the firmware does.

        Parameters
        ----------
        images
            (n, *input shape); of several inputs a list of arrays in their order, or a dictionary by their names.

        Returns
        -------
        The values of the output, (n, *output shape): probabilities where the model ends in a sigmoid or softmax. Of
        several outputs a list in their order.

        Raises
        ------
        DataError
            ``INPUT-...`` for images that are no input of the network.

        Examples
        --------
        >>> firmware = siliconv.convert(network)
        >>> firmware.predict(images)
        array([[0.125, 0.   , 0.   ],
               [0.125, 0.   , 0.   ]])
        """
        found = self._emulator.run(as_codes(images, self.network))
        values = [to_values(found[node.name], node.type) for node in self.network.outputs]
        return values if len(values) > 1 else values[0]

    def trace(self, images: Inputs) -> dict[str, NDArray[np.float64]]:
        """Compute every node: values by name, each (n, *node shape); for the rest see `predict`.

        Examples
        --------
        >>> list(siliconv.convert(network).trace(images))
        ['pixels', 'dense', 'relu']
        """
        found = self._emulator.run(as_codes(images, self.network), keep=[node.name for node in self.network.nodes])
        return {node.name: to_values(found[node.name], node.type) for node in self.network.nodes}

    def simulate(self, images: Inputs, *, corner_vectors: bool = True, jobs: int = -1) -> Certificate:
        """Run the firmware in C simulation and compare every layer with the integer network, and that with QKeras.

        Parameters
        ----------
        images
            (n, *input shape).
        corner_vectors
            Also inputs that images never are: all zero, all highest, checkerboard, random.
        jobs
            Processes; -1 for one a core.

        Returns
        -------
        The certificate. ``certificate.exact`` is False where a bit differs, and says in which layer first.

        Raises
        ------
        ToolError
            ``TOOL-GXX`` without a compiler.
        FirmwareError
            ``BACKEND-...`` for a back end that cannot be simulated.
        """
        from siliconv.api.keras_work import compare_with_quantized
        from siliconv.certificate.certification import certify
        from siliconv.hls.backends import check_simulated
        from siliconv.stages.simplified_network import as_lowered

        check_simulated(self.hls.backend)
        vectors = {"images": as_codes(images, self.network)} | (self._corners() if corner_vectors else {})
        codes = np.concatenate(list(vectors.values()))
        self._write_project(codes)
        agreement = None
        if (self._folder / "quantized").is_dir():
            agreement = call_apart(compare_with_quantized, self._folder, codes, progress=self._progress)
        self._certificate = certify(
            self._folder / "firmware",
            self.network,
            vectors,
            lowered=as_lowered(self._folder / "network"),
            agreement=agreement,
            accuracy=None,
            cache=self._folder / ".work" / "csim",
            artefacts=[path for path in self._artefacts() if path.is_file()],
            jobs=jobs,
            progress=self._progress,
        )
        write_json(self._folder / CERTIFICATE_FILE, self._certificate.as_json())
        return self._certificate

    @property
    def certificate(self) -> Certificate | None:
        """The last certificate, None before `simulate`."""
        if self._certificate is None and (self._folder / CERTIFICATE_FILE).is_file():
            from siliconv.certificate.certificate import from_json

            self._certificate = from_json(read_json(self._folder / CERTIFICATE_FILE))
        return self._certificate

    @cached_property
    def estimate(self) -> HardwareEstimate:
        """Latency, interval and resources with bands, before any vendor tool; own calibrations are used.

        Raises
        ------
        FirmwareError
            ``ESTIMATE-BACKEND`` for a back end without an estimate.

        Examples
        --------
        >>> found = siliconv.convert(network).estimate
        >>> found.lut.low <= found.lut.value <= found.lut.high
        True
        """
        from siliconv.hls.backends import family_of
        from siliconv.project.calibration_file import calibrated
        from siliconv.stages.hardware_estimate import estimate_network

        family_of(self.hls.backend)
        coefficients, calibration = calibrated(self._project)
        return HardwareEstimate(estimate_network(self.network, self.hls, coefficients, calibration=calibration))

    def write(self, folder: str | Path) -> Path:
        """Write the complete HLS project: sources, weights, Tcl, test bench, AXI-Stream top level, README.

        Raises
        ------
        ProjectError
            ``WRITE-FOLDER`` for a folder that is there and not empty.
        """
        if not (self._folder / "firmware").is_dir():
            self._write_project(np.concatenate(list(self._test_vectors().values())))
        return _copied(self._folder / "firmware", Path(folder))

    def save(self, folder: str | Path) -> Path:
        """Keep everything for `siliconv.load`; raises as `write`."""
        saved = _empty(Path(folder))
        copy_parts(self._folder, saved)
        (saved / SETTINGS_FILE).write_text(self.hls.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return saved

    def _test_vectors(self) -> dict[str, Codes]:
        kept = self._folder / VECTORS_FILE
        images = {"images": np.load(kept, allow_pickle=False).astype(np.int64)} if kept.is_file() else {}
        return images | self._corners()

    def _corners(self) -> dict[str, Codes]:
        from siliconv.network.vectors.corners import corner_vectors
        from siliconv.network.vectors.directed import directed_vectors

        corners = {name: codes[np.newaxis] for name, codes in corner_vectors(self.network).items()}
        return corners | {"directed": directed_vectors(self.network, progress=self._progress)}

    def _write_project(self, codes: Codes) -> None:
        from siliconv.api.keras_work import write_firmware

        call_apart(write_firmware, self._folder, self.hls, codes, progress=self._progress)

    def _artefacts(self) -> list[Path]:
        quantized = "quantized/taken.json" if is_taken(self._folder / "quantized") else "quantized/types.json"
        names = ("network/network.json", "network/weights.npz", "quantized/weights.npz", quantized)
        return [self._folder / name for name in names]

    def __repr__(self) -> str:
        return "\n".join(f"{title:<10} {text}" for title, text in self._facts().items())

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><th>{escape(title)}</th><td>{escape(text)}</td></tr>" for title, text in self._facts().items()
        )
        return f"<table>{rows}</table>"

    def _about_certificate(self) -> str:
        try:
            return repr(self.certificate) if self.certificate is not None else "none yet: simulate(images)"
        except ProjectError as error:
            return f"{error.what}: simulate(images) makes it again"

    def _facts(self) -> dict[str, str]:
        network, hls = self.network, self.hls
        weights = sum(node.kernel.codes.size + node.bias.codes.size for node in network.matrices)
        bits = sorted({node.kernel.type.width for node in network.matrices})
        widths = f"{bits[0]}" if len(bits) == 1 else f"{bits[0]} to {bits[-1]}"
        return {
            "firmware": f"{network.name}: {hls.backend}, {hls.io_type}, {hls.part} at {hls.clock_ns:g} ns",
            "network": f"{len(network.nodes)} nodes, {weights:,} weights" + (f" of {widths} bits" if bits else ""),
            **_texts_of("input", network.inputs),
            **_texts_of("output", network.outputs),
            "certificate": self._about_certificate(),
            **({"estimate": self.estimate.line} if "estimate" in vars(self) else {}),
        }


def copy_parts(source: Path, folder: Path) -> None:
    """Copy what a firmware is made of from one folder into another."""
    for name in PARTS:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name)
        elif (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def _texts_of(side: str, nodes: Sequence[Node]) -> dict[str, str]:
    """Say what goes in, or out: a line each."""
    if len(nodes) == 1:
        return {side: _text_of(nodes[0].shape, nodes[0].type)}
    return {f"{side} {node.name}": _text_of(node.shape, node.type) for node in nodes}


def _text_of(shape: tuple[int, ...], kind: object) -> str:
    return f"{' x '.join(map(str, shape))} of {kind}"


def _copied(source: Path, folder: Path) -> Path:
    shutil.copytree(source, _empty(folder), dirs_exist_ok=True)
    return folder


def _empty(folder: Path) -> Path:
    """Make a folder, or take an empty one; what lies in another is not overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(
            "WRITE-FOLDER", "there is something already", where=str(folder), fix="name a new folder, or empty this one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder
