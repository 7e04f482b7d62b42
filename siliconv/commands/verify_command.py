"""The command `siliconv verify`: does the certificate still speak about what lies on the disk?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from siliconv.commands.options import JsonOption, ProjectArgument, print_json
from siliconv.errors import ProjectError, WorkSaysNoError

CERTIFICATE = "csim.json"


def verify(project: ProjectArgument, json_output: JsonOption = False) -> int:
    """Check the certificate against the files, the network, the vectors and the tools that are there now.

    Exits 1 if anything changed since it was written, or if it says itself that the firmware is not exact.
    """
    from siliconv.certificate import verification
    from siliconv.plan.plan_of_project import read_network
    from siliconv.project.project import find_project

    folder = find_project(project)
    build = folder / "build"
    certificate = read_certificate(folder)
    changes = verification.verify(certificate, build, read_network(build))
    if json_output:
        holds = not changes and bool(certificate["exact"])
        print_json({"holds": holds, "exact": certificate["exact"], "changes": [one.as_json() for one in changes]})
    else:
        sys.stdout.write("".join(f"{one.what}: {one.certified} -> {one.found}\n" for one in changes))
    if changes:
        raise WorkSaysNoError(
            "VERIFY-CHANGED",
            f"{len(changes)} things are not what the certificate speaks about, first: {changes[0].what}",
            where=str(build / CERTIFICATE),
            fix=f"siliconv csim {folder.name} makes a new one for what lies there now",
        )
    if not certificate["exact"]:
        raise WorkSaysNoError(
            "VERIFY-NOT-EXACT",
            "nothing changed, but the certificate says itself that the firmware is not exact",
            where=str(build / CERTIFICATE),
            fix=f"siliconv explain {folder.name} says where and why",
        )
    if not json_output:
        vectors, layers, files = certificate["vectors"], len(certificate["layers"]), len(certificate["files"])
        sys.stdout.write(f"The certificate holds: EXACT, {vectors} vectors, {layers} layers, {files} files unchanged\n")
    return 0


def read_certificate(folder: Path) -> dict[str, Any]:
    """Read the certificate of a project.

    Raises
    ------
    ProjectError
        ``CERTIFICATE-MISSING``, or ``CERTIFICATE-DAMAGED`` where it has not all that a certificate has.
    """
    path = folder / "build" / CERTIFICATE
    again = f"siliconv csim {folder.name} --force" if path.exists() else f"siliconv csim {folder.name}"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProjectError("CERTIFICATE-MISSING", "there is no certificate yet", where=str(path), fix=again) from error
    except (OSError, ValueError) as error:
        raise ProjectError("CERTIFICATE-DAMAGED", f"it can't be read: {error}", where=str(path), fix=again) from error
    missing = {"exact", "vectors", "layers", "files", "hashes", "versions"} - set(content)
    if missing:
        raise ProjectError("CERTIFICATE-DAMAGED", f"it has no {', '.join(sorted(missing))}", where=str(path), fix=again)
    return content
