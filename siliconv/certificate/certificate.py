"""The certificate, version 2: a list of claims about a firmware, each with executor, ground and count.

A ground is a proof, a comparison or a test. The format knows no back end: whatever makes a firmware hands in claims of
its own (`siliconv.hardware.claims`). EXACT means that every claim holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from siliconv.counting import counted
from siliconv.errors import ProjectError
from siliconv.hardware.claims import Claim, Ground
from siliconv.network.fixed_point import Codes
from siliconv.network.vectors.reached import Reached

VERSION = 2

RTL_CERTIFICATE = "rtlsim.json"
"""That of the SystemVerilog core in the build folder; that of hls4ml's firmware is ``csim.json``."""

Measure = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Of a metric, none of which is negative; an alias, because a field below is itself called float."""

Count = Annotated[int, Field(ge=0)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Accuracies:
    """How good the three networks are; the firmware's is that of the integer network it is proven equal to.

    `metric` says what the numbers are: the test accuracy, or the metric of another task.
    """

    __pydantic_config__ = _STRICT

    float: Measure
    quantized: Measure
    firmware: Measure
    metric: Annotated[str, Field(min_length=1, max_length=100)] = "accuracy"


@dataclass(frozen=True)
class CertifiedLayer:
    """One layer: differences between firmware and integer network, and between integer network and QKeras."""

    __pydantic_config__ = _STRICT

    name: str
    max_abs_difference: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    values: Count
    firmware_differs: Count
    quantized_differs: Count | None
    """None where the QKeras model has no such layer (the output table)."""
    first_difference: dict[str, Any] | None


@dataclass(frozen=True, repr=False)
class Certificate:
    """What was claimed and compared, with which result, on what, and with which tools."""

    __pydantic_config__ = _STRICT

    exact: bool
    claims: tuple[Claim, ...]
    edited: tuple[str, ...]
    """What was edited in the firmware since it was written, a file each; it was judged as it lies there."""
    vectors: Annotated[int, Field(gt=0)]
    vectors_by_origin: dict[str, Count]
    layers: tuple[CertifiedLayer, ...]
    reached: tuple[Reached, ...]
    """How much of its proven range each accumulator reached on the vectors; the rest rests on the proof."""
    quantized_test_set: dict[str, Any] | None
    """QKeras and the integer network on all test images; None where there were none."""
    accuracy: Accuracies | None
    """None where nobody said which answers are right."""
    hashes: dict[str, Hash]
    files: Annotated[dict[str, Hash], Field(min_length=1)]
    """SHA-256 of every file that it speaks about, by its path in the build folder."""
    versions: Annotated[dict[str, str], Field(min_length=1)]
    version: Literal[2] = field(default=2)

    @property
    def first_differing(self) -> str | None:
        """Name of the first layer that differs anywhere, in the order of the network."""
        wrong = (layer.name for layer in self.layers if layer.firmware_differs or layer.quantized_differs)
        return next(wrong, None)

    @property
    def failed(self) -> tuple[Claim, ...]:
        """The claims that do not hold."""
        return tuple(claim for claim in self.claims if not claim.holds)

    @property
    def verdict(self) -> str:
        """The result in a line: EXACT, or why not; and what was edited."""
        edited = f"; edited since it was written: {' | '.join(self.edited)}" if self.edited else ""
        if self.exact:
            return f"EXACT: {self._extent}, every bit equal{edited}"
        return f"NOT EXACT: {self.why_not}{edited}"

    @property
    def why_not(self) -> str:
        """Why it is not exact: the first layer that differs, and the first proof or comparison that fails."""
        said = []
        layer = next((one for one in self.layers if one.name == self.first_differing), None)
        if layer is not None:
            differing = layer.firmware_differs or layer.quantized_differs
            said.append(
                f"first difference in layer '{layer.name}', {differing} of {layer.values} values, "
                f"by up to {layer.max_abs_difference}"
            )
        failed = [one for one in self.failed if one.ground is not Ground.TEST or not said]
        said += ["; ".join(one.details[:1]) or f"not shown that {one.claim}" for one in failed[:1]]
        return "; ".join(said)

    def __repr__(self) -> str:
        verdict = "EXACT" if self.exact else f"NOT EXACT, {self.why_not}"
        values = sum(layer.values for layer in self.layers)
        return (
            f"{verdict}: {self._executor} and integer network on {self._extent}, {values:,} values; "
            f"{self._about_quantized()}"
        )

    @property
    def _extent(self) -> str:
        """How many vectors and layers were compared."""
        return f"{counted(self.vectors, 'vector')}, {counted(len(self.layers), 'layer')}"

    @property
    def _executor(self) -> str:
        """Who ran the core."""
        simulators = (one.executor for one in self.claims if one.subject == "rtl" and one.ground is Ground.TEST)
        return next(simulators, "C simulation")

    def _about_quantized(self) -> str:
        compared = [layer for layer in self.layers if layer.quantized_differs is not None]
        if not compared:
            return "no QKeras model took part"
        differing = sum(layer.quantized_differs or 0 for layer in compared)
        return f"integer network and QKeras on {len(compared)} of them" + (f": {differing} differ" if differing else "")

    def as_json(self) -> dict[str, Any]:
        """Return it as `csim.json` has it, with a hash over all the rest."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {**content, "sha256": content_hash(content)}


_schema = TypeAdapter(Certificate)


def from_json(content: Mapping[str, Any]) -> Certificate:
    """Return the certificate of what `Certificate.as_json` gave.

    Raises
    ------
    ProjectError
        ``CERTIFICATE-OLD`` for one of an older siliconv, ``CERTIFICATE-DAMAGED`` for what is none, or contradicts
        itself.
    """
    if not isinstance(content, Mapping) or "version" not in content:
        is_old = isinstance(content, Mapping) and {"exact", "layers", "files"} <= set(content)
        raise _refused(
            "CERTIFICATE-OLD" if is_old else "CERTIFICATE-DAMAGED",
            "it is of an older siliconv, whose certificates claim less" if is_old else "it is no certificate",
        )
    fields = {key: value for key, value in content.items() if key != "sha256"}
    try:
        found = _schema.validate_json(json.dumps(fields))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise _refused("CERTIFICATE-DAMAGED", f"{where}: {str(first['msg']).lower()}") from None
    for wrong in _contradictions(found):
        raise _refused("CERTIFICATE-DAMAGED", wrong)
    return found


def _refused(code: str, what: str) -> ProjectError:
    return ProjectError(code, what, where="csim.json", fix="make it again: siliconv csim PROJECT --force")


def _contradictions(found: Certificate) -> Sequence[str]:
    """Say what in a certificate can't be: no run of siliconv writes it."""
    grounds = {claim.ground for claim in found.claims if claim.count}
    shares = found.accuracy if found.accuracy is not None and "accuracy" in found.accuracy.metric else None
    said = {
        "it claims nothing": not {Ground.TEST, Ground.PROOF} <= grounds,
        "it is exact, but a claim in it does not hold": found.exact and bool(found.failed),
        "it is not exact, but all its claims hold": not found.exact and not found.failed,
        "it is exact, but a layer differs": found.exact and found.first_differing is not None,
        "its vectors are not those of its origins": found.vectors != sum(found.vectors_by_origin.values()),
        "a claim holds that counts nothing": any(
            one.holds and not one.count and one.ground is Ground.TEST for one in found.claims
        ),
        "accuracy.float, quantized or firmware is above 1": shares is not None
        and max(shares.float, shares.quantized, shares.firmware) > 1,
        "it compares no layer": not any(layer.values for layer in found.layers),
        "it has not the hashes of network and vectors": not {"network", "vectors"} <= set(found.hashes),
    }
    return [words for words, wrong in said.items() if wrong]


def content_hash(content: Mapping[str, Any]) -> str:
    """Give the SHA-256 of a certificate's content, whatever hash stands in it."""
    text = json.dumps({key: value for key, value in content.items() if key != "sha256"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def vectors_hash(codes: Codes) -> str:
    """Give the SHA-256 of input vectors: int64, little endian, in C order."""
    return hashlib.sha256(np.ascontiguousarray(codes, dtype="<i8").tobytes()).hexdigest()
