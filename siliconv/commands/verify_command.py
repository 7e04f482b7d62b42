"""The command `siliconv verify`: does the certificate still speak about what lies on the disk?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from siliconv.commands.options import JsonOption, ProjectArgument, open_project, print_json

if TYPE_CHECKING:
    from siliconv.actions.verify import Verification


def verify(project: ProjectArgument, json_output: JsonOption = False) -> int:
    """Check the certificate against the files, the network, the vectors and the tools that are there now.

    Exits 1 if anything changed since it was written, or if it says itself that the firmware is not exact.
    """
    found = open_project(project, runs_code=False).verify()
    certificates = [found] if found.core is None else [found, found.core]
    if json_output:
        print_json(found.as_json())
    else:
        for one in certificates:
            sys.stdout.write("".join(f"{each.what}: {each.certified} -> {each.found}\n" for each in one.changes))
    found.require()
    if not json_output:
        for one in certificates:
            _write_what_holds(one)
        if found.unsimulated:
            sys.stdout.write(f"Not certified: the SystemVerilog in build/rtl; siliconv run {project} --until rtlsim\n")
    return 0


def _write_what_holds(found: Verification) -> None:
    content = found.certificate
    vectors, layers, files = content["vectors"], len(content["layers"]), len(content["files"])
    claims = f"{len(content['claims'])} claims"
    sys.stdout.write(
        f"{found.title} holds: EXACT, {claims}, {vectors} vectors, {layers} layers, {files} files unchanged\n"
    )
    sys.stdout.writelines(f"  edited since it was written: {line}\n" for line in content["edited"])
    if found.board is not None:
        sys.stdout.write(
            f"On the board: {found.board.executor}, {found.board.count} {found.board.unit}, every bit equal\n"
        )
