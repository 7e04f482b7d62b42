"""Pre-flight rules about a generated project on the disk: whether it is still the firmware of its network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import UnreadableError
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rule_at, rules_at
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.firmware_types import StatedType, explain_type, stated_types
from siliconv.hls.conversion.manifest import MANIFEST_FILE, read_manifest
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash

_AGAIN = "siliconv run --force writes it again"


@dataclass(frozen=True, eq=False)
class Built:
    """A generated project and what it should be the firmware of.

    Parameters
    ----------
    folder
        The generated project.
    manifest
        What `siliconv.json` in it says.
    network
        The integer network on the disk.
    hls
        The settings of the project file as it is now.
    hls4ml
        Version that is installed.
    """

    folder: Path
    manifest: dict[str, Any]
    network: Network
    hls: HlsConfig
    hls4ml: str

    def types(self) -> Iterator[tuple[str, StatedType]]:
        """Yield where the types in the sources stand that are not those of the network, and these types."""
        for one in stated_types(self.folder, self.network):
            if not one.is_enough:
                yield f"layer '{one.layer}', firmware/defines.h", one


_type_rule = rules_at(Built.types)


def read_built(folder: Path, network: Network | None, hls: HlsConfig, hls4ml: str) -> Built | None:
    """Read a generated project, or give None where there is none that is whole."""
    try:
        manifest = asdict(read_manifest(folder))
    except UnreadableError:
        return None
    whole = network is not None and (folder / "firmware" / f"{network.name}.cpp").is_file()
    if network is None or not whole or not (folder / "firmware" / "defines.h").is_file():
        return None
    return Built(folder, manifest, network, hls, hls4ml)


@_type_rule("FIRMWARE-ACCUMULATOR", Severity.ERROR)
def firmware_accumulator(one: StatedType) -> Words:
    if one.role == "accum":
        yield (
            f"the accumulator is {one.stated} in the sources, {one.expected} is proven to be needed: "
            f"{explain_type(one)}",
            _AGAIN,
        )


@_type_rule("FIRMWARE-TYPE", Severity.ERROR)
def firmware_type(one: StatedType) -> Words:
    if one.role != "accum":
        yield (
            f"the {one.role} type is {one.stated} in the sources and {one.expected} in the network: "
            f"{explain_type(one)}",
            _AGAIN,
        )


@rule("FIRMWARE-NETWORK", Severity.ERROR)
def firmware_network(built: Built) -> Iterator[Complaint]:
    if built.manifest.get("network_sha256") != network_hash(built.network):
        yield Complaint(
            "the firmware was made from another integer network than the one on the disk",
            str(built.folder / MANIFEST_FILE),
            _AGAIN,
        )


@rule_at("FIRMWARE-SETTINGS", Severity.WARNING, "hls")
def firmware_settings(built: Built) -> Words:
    was, now = built.manifest.get("hls", {}), built.hls.model_dump(mode="json")
    changed = sorted(name for name in now if name in was and was[name] != now[name])
    if changed:
        said = ", ".join(f"{name} was {was[name]}, is {now[name]}" for name in changed)
        yield f"the firmware on the disk has other settings: {said}", "siliconv convert writes it with the new ones"


@rule("FIRMWARE-HLS4ML", Severity.WARNING)
def firmware_hls4ml(built: Built) -> Iterator[Complaint]:
    was = built.manifest.get("hls4ml")
    if was != built.hls4ml:
        yield Complaint(
            f"the firmware was written by hls4ml {was}, {built.hls4ml} is installed: templates, latency and resources "
            "change between versions",
            str(built.folder / MANIFEST_FILE),
            "siliconv convert writes it with the installed version",
        )
