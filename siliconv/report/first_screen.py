"""The report's first screen: is it right, does it go into the FPGA, how good and how fast is it, and who says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from siliconv.counting import counted
from siliconv.hardware.boards import RESOURCES, board
from siliconv.project.project import ProjectConfig
from siliconv.report.verdicts import DeviceShare, Verdict, exactness, hls_fit, rtl_fit
from siliconv.rtl.fit.rtl_fit import MOST_SHARES

_WIDE = 0.05
"""Half of an interval above which a test set tells little."""

_NETWORKS = (("float", "float network"), ("quantized", "quantized network"), ("network", "firmware"))


@dataclass(frozen=True)
class Figure:
    """A number of the hardware with its unit, the ends of its band in words, and where it is from."""

    title: str
    value: str
    band: str
    source: str


@dataclass(frozen=True)
class CoreScreen:
    """What is said of one core: both verdicts, figures, shares of the device and where these are from."""

    title: str
    exact: Verdict
    fit: Verdict
    figures: tuple[Figure, ...]
    shares: tuple[DeviceShare, ...]
    shares_source: str


@dataclass(frozen=True)
class NetworkScore:
    """How good one of the networks is: a value of the metric, and a 95 % interval where there is one."""

    title: str
    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class FirstScreen:
    """All of it. ``facts``: titles and texts; ``warnings``: what speaks against believing the scores."""

    facts: tuple[tuple[str, str], ...]
    cores: tuple[CoreScreen, ...]
    metric: str
    images: int
    scores: tuple[NetworkScore, ...]
    warnings: tuple[str, ...]

    @property
    def is_share(self) -> bool:
        """Whether the metric is a share of the images or labels."""
        return "accuracy" in self.metric


def first_screen(content: Mapping[str, Any], project: ProjectConfig, certified: Path) -> FirstScreen:
    """Gather the first screen from what the report reads.

    Parameters
    ----------
    content
        What `siliconv.report.report.write_report` reads of the build.
    project
        The project.
    certified
        The file of the certificate, whose date is the report's.
    """
    metrics, data = content["metrics"], content["data"]
    images = metrics["network"].get("images", sum(data["counts"]["test"]))
    titles = {**dict(_NETWORKS), **({"float": "QKeras file"} if content["calibration"]["method"] == "taken" else {})}
    scores = tuple(_score(title, metrics[kind]) for kind, title in titles.items())
    cores = [_hls_core(content, thing_of(data))]
    if content["rtl"] is not None and not content["rtl"]["stale"]:
        cores.append(_rtl_core(content["rtl"], project, thing_of(data)))
    facts = _facts(content, project, certified)
    warnings = _doubts(metrics, data, scores, images, f"{thing_of(data)}s")
    return FirstScreen(facts, tuple(cores), str(metrics["network"]["metric"]), images, scores, warnings)


def thing_of(data: Mapping[str, Any]) -> str:
    """Give the word for an example of the data: an image, or an input where it is features or a waveform."""
    return "image" if len(data["shape"]) == 3 else "input"


def _score(title: str, metrics: Mapping[str, Any]) -> NetworkScore:
    return NetworkScore(title, metrics["value"], metrics["interval"])


def _doubts(
    metrics: Mapping[str, Any], data: Mapping[str, Any], scores: Sequence[NetworkScore], images: int, things: str
) -> tuple[str, ...]:
    """Say why the scores may not be believed."""
    firmware = scores[-1].interval
    if firmware is None or metrics["network"]["metric"] != "accuracy":
        return ()
    found, counts = [], data["counts"]["test"]
    half = (firmware[1] - firmware[0]) / 2
    if half > _WIDE:
        found.append(
            f"Too few test {things} to tell: {images} of them leave the accuracy open by {100 * half:.0f} points to "
            "either side. Differences between the networks that are smaller say nothing."
        )
    commonest = max(counts) / max(sum(counts), 1)
    if firmware[0] <= commonest:
        found.append(
            f"Not shown to be better than always answering the commonest class, which is right for {commonest:.1%} of "
            f"the test {things}."
        )
    if data["duplicates"]:
        found.append(f"{data['duplicates']} {things} occur in two splits: the accuracy is flattered.")
    return tuple(found)


def _facts(content: Mapping[str, Any], project: ProjectConfig, certified: Path) -> tuple[tuple[str, str], ...]:
    data, network, estimate = content["data"], content["network"], content["estimate"]
    date = datetime.fromtimestamp(certified.stat().st_mtime, UTC).strftime("%d %B %Y").lstrip("0")
    counts = {split: sum(found) for split, found in data["counts"].items()}
    told = " + ".join(f"{counts[split]:,}" for split in ("train", "val", "test"))
    where = project.data.name or (project.data.path.name if project.data.path is not None else "")
    parameters = sum(layer["weights"] for layer in content["sparsity"].values())
    made = project.model.preset or (Path(project.model.file).name if project.model.file else "described in the project")
    recipe = project.quantize
    bits = f"weights {recipe.weights}, biases {recipe.biases}, activations {recipe.activations}"
    bits += f", {len(recipe.layers)} exceptions" if recipe.layers else ""
    if content["calibration"]["method"] == "taken":
        bits = "those of the QKeras model's own quantizers"
    kind = data["input"]["type"]
    return (
        ("Network", f"{made}: {len(network['nodes'])} nodes, {parameters:,} kernel weights"),
        (
            "Input",
            f"{' × '.join(map(str, data['shape']))}, {'signed' if kind['signed'] else 'unsigned'} {kind['bits']} bits",
        ),
        ("Data", f"{project.data.source} {where}".strip() + f": {told} for training, validation, test"),
        ("Bits", bits),
        ("Device", f"{estimate['part']}, {1e3 / estimate['clock_ns']:g} MHz"),
        ("Made by", f"siliconv {content['certificate']['versions']['siliconv']}, {date}"),
    )


def _hls_core(content: Mapping[str, Any], thing: str) -> CoreScreen:
    estimate, certificate = content["estimate"], content["certificate"]
    fit, shares = hls_fit(estimate)
    title = f"hls4ml core ({content['firmware']['hls']['backend']})"
    figures: tuple[Figure, ...] = ()
    source = ""
    if estimate["source"] != "none":
        measured = estimate.get("measured")
        reported = measured is not None and "csynth" in measured["stages"]
        cycles_from = f"vendor report ({measured['tool']})" if measured and reported else "estimate of C synthesis"
        from_report = measured is not None and "vsynth" in measured["stages"]
        source = "vendor report of logic synthesis" if from_report else "estimate of logic synthesis"
        figures = _hls_figures(estimate, cycles_from, thing)
    return CoreScreen(title, exactness(certificate, content["why_not"]), fit, figures, shares, source)


def _hls_figures(estimate: Mapping[str, Any], source: str, thing: str) -> tuple[Figure, ...]:
    clock = estimate["clock_ns"]
    latency = estimate["latency_cycles"]
    # A band may reach below a cycle; an image takes one at least.
    interval = {name: max(value, 1) for name, value in estimate["interval_cycles"].items()}
    found = [
        Figure(
            "Latency",
            _time(latency["value"] * clock),
            _between(_time(latency["low"] * clock), _time(latency["high"] * clock)),
            f"{source}: {counted(latency['value'], 'cycle')}",
        ),
        Figure(
            f"{thing.capitalize()}s a second",
            f"{1e9 / (interval['value'] * clock):,.0f}",
            _between(f"{1e9 / (interval['high'] * clock):,.0f}", f"{1e9 / (interval['low'] * clock):,.0f}"),
            f"{source}: an {thing} in {counted(interval['value'], 'cycle')}",
        ),
    ]
    steady = estimate["axi"].get("core_steady_cycles")
    if steady is not None and steady < 0.9 * interval["value"]:
        found.append(
            Figure(
                f"{thing.capitalize()}s a second, in a long stream",
                f"{1e9 / (steady * clock):,.0f}",
                "",
                f"simulated stream model: an {thing} in {counted(steady, 'cycle')}",
            )
        )
    return tuple(found)


def _rtl_core(rtl: Mapping[str, Any], project: ProjectConfig, thing: str) -> CoreScreen:
    config, place, cycles = project.rtl, rtl["place"], rtl["cycles"]
    named = None
    if config.board is not None:
        found = board("ulx3s-85f" if config.board == "ulx3s" else config.board)
        available = {name: getattr(found, name) for name in RESOURCES}
        named = {"title": found.title, "available": available, "most_share": MOST_SHARES["lut"]}
    asked = rtl["asked_mhz"]
    fit, shares = rtl_fit(rtl, named, asked)
    if rtl["certificate"] is not None:
        exact = exactness(rtl["certificate"], rtl["why_not"])
    else:
        exact = Verdict("NOT SIMULATED", "unknown", "no simulation of this core yet (--until rtlsim).")
    known = cycles or rtl["plan"]
    counted = "measured in Verilator" if cycles else "predicted by the cycle model"
    mhz = place["mhz"] if place else asked
    clocked = f"at {mhz:g} MHz, " + ("routed by nextpnr" if place else "asked for, not placed yet")
    figures = (
        Figure(
            "Latency",
            _time(known["latency_cycles"] * 1e3 / mhz),
            "",
            f"{known['latency_cycles']:,} cycles {counted}, {clocked}",
        ),
        Figure(
            f"{thing.capitalize()}s a second",
            f"{mhz * 1e6 / known['interval_cycles']:,.0f}",
            "",
            f"an {thing} in {known['interval_cycles']:,.0f} cycles {counted}, {clocked}",
        ),
    )
    source = "nextpnr, placed" if place else "Yosys, before placement"
    return CoreScreen("SystemVerilog core", exact, fit, figures, shares, source if shares else "")


def _between(low: str, high: str) -> str:
    return f"{low} to {high}" if low != high else ""


def _time(nanoseconds: float) -> str:
    """Write a time with three digits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= 0.9995 * size:
            return f"{_three_digits(nanoseconds / size)} {unit}"
    return f"{_three_digits(nanoseconds)} ns"


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"
