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
from siliconv.report.board_rate import rate_on_board, rate_on_line
from siliconv.report.figures import Figure, time_in_words
from siliconv.report.verdicts import DeviceShare, Verdict, exactness, hls_fit, rtl_fit
from siliconv.rtl.fit.rtl_fit import MOST_SHARES

_WIDE = 0.05
"""Half of an interval above which a test set tells little."""

_NETWORKS = (("float", "float network"), ("quantized", "quantized network"), ("network", "firmware"))


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
    thing = content["thing"]
    cores = [_hls_core(content, thing)]
    if content["rtl"] is not None and not content["rtl"]["stale"]:
        cores.append(_rtl_core(content["rtl"], project, thing))
    facts = _facts(content, project, certified)
    warnings = _doubts(metrics, data, scores, images, content["things"])
    return FirstScreen(facts, tuple(cores), str(metrics["network"]["metric"]), images, scores, warnings)


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
            f"Too few test {things} to tell: {images:,} of them leave the accuracy open by {100 * half:.0f} points to "
            "either side. Differences between the networks that are smaller say nothing."
        )
    commonest = max(counts) / max(sum(counts), 1)
    if firmware[0] <= commonest:
        found.append(
            f"Not shown to be better than always answering the commonest class, which is right for {commonest:.1%} of "
            f"the test {things}."
        )
    if data["duplicates"]:
        found.append(f"{data['duplicates']:,} {things} occur in two splits: the accuracy is flattered.")
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
        if estimate.get("board"):
            clock_us = estimate["clock_ns"] / 1e3
            axi = estimate["axi"]
            every = axi.get("steady_cycles", axi["interval_cycles"])
            on_board = board(estimate["board"]["name"])
            latency = estimate["latency_cycles"]["value"]
            figures = (*figures, rate_on_board(on_board, latency * clock_us, every * clock_us, thing))
    return CoreScreen(title, exactness(certificate, content["why_not"], thing), fit, figures, shares, source)


def _hls_figures(estimate: Mapping[str, Any], source: str, thing: str) -> tuple[Figure, ...]:
    clock = estimate["clock_ns"]
    latency = estimate["latency_cycles"]
    # A band may reach below a cycle; an image takes one at least.
    interval = {name: max(value, 1) for name, value in estimate["interval_cycles"].items()}
    found = [
        Figure(
            "Latency",
            time_in_words(latency["value"] * clock),
            _between(time_in_words(latency["low"] * clock), time_in_words(latency["high"] * clock)),
            f"{source}: {counted(latency['value'], 'cycle')}",
        ),
        Figure(
            f"{thing.capitalize()}s a second, the core alone",
            f"{1e9 / (interval['value'] * clock):,.0f}",
            _between(f"{1e9 / (interval['high'] * clock):,.0f}", f"{1e9 / (interval['low'] * clock):,.0f}"),
            f"{source}: an {thing} in {counted(interval['value'], 'cycle')}",
        ),
    ]
    steady = estimate["axi"].get("core_steady_cycles")
    if steady is not None and steady < 0.9 * interval["value"]:
        found.append(
            Figure(
                f"{thing.capitalize()}s a second, the core alone in a long stream",
                f"{1e9 / (steady * clock):,.0f}",
                "",
                f"simulated stream model: an {thing} in {counted(steady, 'cycle')}",
            )
        )
    return tuple(found)


def _rtl_core(rtl: Mapping[str, Any], project: ProjectConfig, thing: str) -> CoreScreen:
    config, place, cycles = project.rtl, rtl["place"], rtl["cycles"]
    named = found = None
    if config.board is not None:
        found = board("ulx3s-85f" if config.board == "ulx3s" else config.board)
        available = {name: getattr(found, name) for name in RESOURCES}
        named = {"title": found.title, "available": available, "most_share": MOST_SHARES["lut"]}
    asked = rtl["asked_mhz"]
    fit, shares = rtl_fit(rtl, named, asked)
    if rtl["certificate"] is not None:
        exact = exactness(rtl["certificate"], rtl["why_not"], thing)
    else:
        exact = Verdict("NOT SIMULATED", "unknown", "no simulation of this core yet (--until rtlsim).")
    known = cycles or rtl["plan"]
    counted = "measured in Verilator" if cycles else "predicted by the cycle model"
    mhz = place["mhz"] if place else asked
    clocked = f"at {mhz:g} MHz, " + ("routed by nextpnr" if place else "asked for, not placed yet")
    figures = [
        Figure(
            "Latency",
            time_in_words(known["latency_cycles"] * 1e3 / mhz),
            "",
            f"{known['latency_cycles']:,} cycles {counted}, {clocked}",
        ),
        Figure(
            f"{thing.capitalize()}s a second, the core alone",
            f"{mhz * 1e6 / known['interval_cycles']:,.0f}",
            "",
            f"an {thing} in {known['interval_cycles']:,.0f} cycles {counted}, {clocked}",
        ),
    ]
    if found is not None:
        # On a board it runs at the clock that was asked for, however fast it was routed.
        latency_us, interval_us = known["latency_cycles"] / asked, known["interval_cycles"] / asked
        if config.board_top is None:
            figures.append(rate_on_board(found, latency_us, interval_us, thing))
        elif "serial" in rtl["plan"]:
            figures.append(rate_on_line(found.title, rtl["plan"]["serial"], latency_us, thing))
    source = "nextpnr, placed" if place else "Yosys, before placement"
    return CoreScreen("SystemVerilog core", exact, fit, tuple(figures), shares, source if shares else "")


def _between(low: str, high: str) -> str:
    return f"{low} to {high}" if low != high else ""
