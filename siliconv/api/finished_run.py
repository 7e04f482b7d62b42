"""What a run of a project's stages found: certificate and estimate, where it reached them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.errors import WorkSaysNoError
from siliconv.flow.artefacts import read_json

if TYPE_CHECKING:
    from siliconv.api.estimate import HardwareEstimate
    from siliconv.certificate.certificate import Certificate
    from siliconv.flow.flow import StageResult


@dataclass(frozen=True, repr=False)
class Run:
    """The stages of one run: what each found, whether it ran now, and the certificate where the run reached it."""

    name: str
    build: Path
    stages: tuple[StageResult, ...]

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, None where the run ended before ``csim``."""
        from siliconv.certificate.certificate import from_json

        return from_json(self._certificate_content) if self._reached("csim") else None

    @property
    def estimate(self) -> HardwareEstimate | None:
        """The estimate, None where the run ended before ``estimate`` or there is none for the back end."""
        from siliconv.api.estimate import HardwareEstimate

        content = read_json(self.build / "estimate.json") if self._reached("estimate") else {"source": "none"}
        return HardwareEstimate(content) if content["source"] != "none" else None

    def require_exact(self) -> None:
        """Raise `WorkSaysNoError` ``CSIM-DIFFERS`` or ``RTL-DIFFERS`` where a bit or a source is not the network's."""
        from siliconv.certificate.certificate import from_json

        if self._reached("rtlsim"):
            core = from_json(read_json(self.build / "rtlsim.json"))
            if not core.exact:
                raise WorkSaysNoError(
                    "RTL-DIFFERS",
                    f"the SystemVerilog is not exact: {core.why_not}",
                    where=str(self.build / "rtlsim.json"),
                    fix="do not use it; if nobody edited build/rtl, report it with the project",
                )
        content = self._certificate_content if self._reached("csim") else None
        if content is not None and not content["exact"]:
            raise WorkSaysNoError(
                "CSIM-DIFFERS",
                f"the firmware is not exact: {from_json(content).why_not}",
                where=str(self.build / "csim.json"),
                fix="do not deploy this firmware; the certificate lists every layer",
            )

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        stages = {
            result.name: {
                "ran": result.ran,
                "summary": result.record.summary,
                "seconds": result.record.seconds,
                "peak_mib": result.record.peak_mib,
            }
            for result in self.stages
        }
        certificate = self._certificate_content if self._reached("csim") else None
        return {"project": self.name, "build": str(self.build), "stages": stages, "certificate": certificate}

    @property
    def _certificate_content(self) -> dict[str, Any]:
        content: dict[str, Any] = read_json(self.build / "csim.json")
        return content

    def _reached(self, stage: str) -> bool:
        return any(result.name == stage for result in self.stages)

    def __repr__(self) -> str:
        return "\n".join(f"{one.name:<9} {one.record.summary}" for one in self.stages)
