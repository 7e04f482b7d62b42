"""Pre-flight rules about this machine: versions, tools, memory, disk and paths."""

from __future__ import annotations

from collections.abc import Iterator

from siliconv.checks.doctor import PYTHON, pinned_install
from siliconv.checks.facts import Facts
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rule_at
from siliconv.project.path_characters import BAD_IN_PATHS

_HLS4ML = "1.3."
_LEAST_DISK = 2**30

# Measured with g++ 12 -O3: 385 MiB for a network of 4,000 weights, 450 MiB for one of 388,673; two files at a time.
_COMPILER_BYTES, _BYTES_PER_WEIGHT = 2 * 400e6, 180


@rule_at("MACHINE-PYTHON", Severity.ERROR, "this machine")
def machine_python(facts: Facts) -> Words:
    lowest, first_too_new = PYTHON
    if not lowest <= facts.machine.python < first_too_new:
        yield (
            "Python " + ".".join(map(str, facts.machine.python)),
            f"use Python {lowest[0]}.{lowest[1]} to {first_too_new[0]}.{first_too_new[1] - 1}: TensorFlow and hls4ml "
            "have no others",
        )


@rule_at("MACHINE-LIBRARY", Severity.ERROR, "this Python environment")
def machine_library(facts: Facts) -> Words:
    for name, version in facts.machine.versions.items():
        if version == "none":
            yield f"{name} is not installed", pinned_install(name)


@rule_at("MACHINE-KERAS", Severity.ERROR, "this Python environment")
def machine_keras(facts: Facts) -> Words:
    tensorflow, keras = (facts.machine.versions[name] for name in ("tensorflow", "tf-keras"))
    if "none" not in (tensorflow, keras) and tensorflow.split(".")[:2] != keras.split(".")[:2]:
        yield (
            f"tensorflow {tensorflow} with tf-keras {keras}: they work together only with equal numbers before the "
            "second point",
            pinned_install("tensorflow", "tf-keras"),
        )


@rule_at("MACHINE-HLS4ML", Severity.ERROR, "this Python environment")
def machine_hls4ml(facts: Facts) -> Words:
    version = facts.machine.versions["hls4ml"]
    if version != "none" and not version.startswith(_HLS4ML):
        yield (
            f"hls4ml {version}; exactness is tested with {_HLS4ML}x, whose templates differ",
            pinned_install("hls4ml"),
        )


@rule_at("MACHINE-TOOL", Severity.ERROR, "this machine")
def machine_tool(facts: Facts) -> Words:
    for tool in ("g++", "make"):
        if tool not in facts.machine.tools:
            yield (
                f"no {tool} on the PATH: the firmware can't be simulated",
                f"install it, for example: apt install {tool}; or stop before it: --until convert",
            )


@rule_at("MACHINE-MEMORY", Severity.WARNING, "this machine")
def machine_memory(facts: Facts) -> Words:
    needed = _COMPILER_BYTES + _BYTES_PER_WEIGHT * sum(layer.products for layer in facts.plan.matrices)
    if needed > facts.machine.memory:
        yield (
            f"g++ needs about {needed / 1e9:.1f} GB for this network, {facts.machine.memory / 1e9:.1f} GB are free",
            "free memory, or use a smaller network; a killed g++ is reported as CSIM-COMPILE",
        )


@rule("MACHINE-DISK", Severity.WARNING)
def machine_disk(facts: Facts) -> Iterator[Complaint]:
    if facts.machine.disk < _LEAST_DISK:
        yield Complaint(
            f"{facts.machine.disk / 2**20:,.0f} MiB are free for the build", str(facts.folder), "free 1 GiB or more"
        )


@rule("MACHINE-PATH", Severity.ERROR)
def machine_path(facts: Facts) -> Iterator[Complaint]:
    found = sorted(set(str(facts.folder)) & set(BAD_IN_PATHS))
    if found:
        yield Complaint(
            f"the path has {' '.join(found)} in it, which make and the shell do not hand on to the compiler",
            str(facts.folder),
            "rename the folder",
        )


@rule("MACHINE-NOEXEC", Severity.ERROR)
def machine_noexec(facts: Facts) -> Iterator[Complaint]:
    if not facts.machine.may_execute:
        yield Complaint(
            "no program may run from this folder (it is mounted noexec): the compiled firmware can't be loaded",
            str(facts.folder),
            "put the project on another disk",
        )


@rule_at("MACHINE-FLAGS", Severity.HINT, "the environment")
def machine_flags(facts: Facts) -> Words:
    flags = facts.machine.environment.get("CXXFLAGS", "")
    if "-O0" in flags.split():
        yield (
            "CXXFLAGS has -O0: C simulation compiles faster and runs many times slower",
            "unset CXXFLAGS for more than a few images",
        )


@rule_at("MACHINE-XLA", Severity.HINT, "the environment")
def machine_xla(facts: Facts) -> Words:
    if "auto_jit" in facts.machine.environment.get("TF_XLA_FLAGS", ""):
        yield "TF_XLA_FLAGS switches XLA on: on CPUs it makes training of these networks slower", "unset TF_XLA_FLAGS"
