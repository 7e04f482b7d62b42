"""The report in a real browser: wide and narrow, light and dark, silent, without sideways scrolling, accessible."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path

import pytest
from browser import chromium, look
from run_records import a_record

from siliconv.commands.cli import run_command_line
from siliconv.flow.output_state import content_hash
from siliconv.runs.comparison_page import write_comparison
from siliconv.runs.run_comparison import compare_runs

pytestmark = pytest.mark.slow

PROJECT = """
    data: {source: digits, limit: 300}
    model: {preset: digits}
    train: {epochs: 3, batch_size: 32}
    quantize: {train: {epochs: 1, batch_size: 32}}
    csim: {images: 4}
    hls: {part: xc7z020clg400-1, clock_ns: 10, max_multipliers: 64}
    """


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory, browser):
    """The report of the digits with all that can be in it: both cores, what `fit` found, few test images."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ on the PATH: firmware can't be compiled here")
    folder = tmp_path_factory.mktemp("projects") / "digits"
    folder.mkdir()
    (folder / "project.yml").write_text(textwrap.dedent(PROJECT))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXXFLAGS", "-O0")
        assert run_command_line(["run", str(folder)]) == 0
    for core in ("hls", "rtl"):
        assert run_command_line(["fit", str(folder), "--board", "pynq-z2", "--core", core, "--dry-run"]) == 0
    _write_core(folder / "build")
    assert run_command_line(["report", str(folder)]) == 0
    return folder / "build" / "report.html"


def _write_core(build: Path) -> None:
    """Put the artefacts of a SystemVerilog core of this network into the build."""
    network = json.loads((build / "csim.json").read_text())["hashes"]["network"]
    nodes = [node["name"] for node in json.loads((build / "network" / "network.json").read_text())["nodes"][1:]]
    blocks = [{"name": f"b_{name}", "kind": "mvu", "node": name, "products": 4, "busy": 400} for name in nodes]
    plan = {"latency_cycles": 900, "interval_cycles": 400, "products": 40, "network": network, "blocks": blocks}
    (build / "rtl").mkdir()
    (build / "rtl" / "plan.json").write_text(json.dumps(plan))
    of_plan = {"plan": content_hash(build / "rtl" / "plan.json")}
    times = [
        {
            "block": one["name"],
            "node": one["node"],
            "words": 9,
            "images": [[90 * n, 90 * n + 300], [90 * n + 400, 90 * n + 700]],
        }
        for n, one in enumerate(blocks)
    ]
    measured = {"latency_cycles": 900, "interval_cycles": 400.0, "words": 5000, "runs": 2, "cycles_differ": 0}
    cells = {"lut": 100, "ff": 200, "dsp": 2, "block_memory": 1}
    by_block = {one["name"]: cells for one in blocks}
    synth = {
        "family": "ecp5",
        "lut": 1500,
        "lut_memory": 7,
        "ff": 2300,
        "dsp": 12,
        "block_memory": 3,
        "by_block": by_block,
    }
    place = {
        "part": "LFE5UM5G-85F-8BG756",
        "seed": 1,
        "mhz": 160.0,
        "used": {"TRELLIS_COMB": 9000, "TRELLIS_FF": 5000, "MULT18X18D": 12, "DP16KD": 9},
        "available": {"TRELLIS_COMB": 83640, "TRELLIS_FF": 83640, "MULT18X18D": 156, "DP16KD": 208},
        "critical_path": {"told": "in the sums of dense_1"},
    }
    for name, content in (
        ("rtl_cycles.json", measured | {"times": times}),
        ("synth.json", synth),
        ("place.json", place),
    ):
        (build / name).write_text(json.dumps(of_plan | content))


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_report_is_silent_fits_the_window_and_is_accessible(browser, report, tmp_path, width, mode):
    seen = look(browser, report, width, mode, tmp_path / "page.png")
    assert seen.console == ()
    assert seen.overflow <= 0
    assert seen.asked == ()
    assert seen.violations == ()
    assert seen.rules > 30


@pytest.mark.parametrize(("width", "mode"), [(1280, "light"), (400, "dark")])
def test_so_is_a_comparison(browser, tmp_path, width, mode):
    runs = [a_record("aa11", 0.96, 1000.0), a_record("bb22", 0.9, 700.0)]
    write_comparison(compare_runs(["mine", "a variant"], runs), tmp_path / "page.html")
    seen = look(browser, tmp_path / "page.html", width, mode, tmp_path / "page.png")
    assert (seen.console, seen.asked, seen.violations) == ((), (), ())
    assert seen.overflow <= 0


def test_light_and_dark_are_not_the_same_picture(browser, report, tmp_path):
    pictures = [tmp_path / "light.png", tmp_path / "dark.png"]
    for mode, path in zip(("light", "dark"), pictures, strict=True):
        look(browser, report, 400, mode, path)
    assert pictures[0].read_bytes() != pictures[1].read_bytes()


def test_what_is_wrong_with_a_page_is_seen(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><html><head><title>x</title></head><body><main>"
        "<p style='color: #bbb; background: #fff'>pale</p>"
        "<div style='width: 3000px'>wide</div><script>console.log('hello')</script></main></body></html>"
    )
    seen = look(browser, page, 400, "light")
    assert seen.console == ("hello",)
    assert seen.overflow > 2000
    assert {line.split(":")[0] for line in seen.violations} >= {"color-contrast", "html-has-lang"}


def test_tables_sort_hashes_are_copied_and_pictures_tell(browser, report):
    page = browser.new_page()
    page.goto(report.as_uri())
    cells = "[...document.querySelectorAll('#certificate ~ h3 + .scroll table.sortable')][0]"
    column = f"[...{cells}.tBodies[0].rows].map((row) => row.cells[1].textContent)"
    before = page.evaluate(column)
    page.evaluate(f"{cells}.tHead.rows[0].cells[1].querySelector('button').click()")
    after = [int(text.replace(",", "")) for text in page.evaluate(column)]
    assert after == sorted(after)
    assert sorted(page.evaluate(column)) == sorted(before)
    page.evaluate("document.querySelector('button.copy').click()")
    page.wait_for_function("document.querySelector('button.copy').textContent !== 'copy'")
    for figure in page.evaluate(
        "[...document.querySelectorAll('svg.chart')].map((one) => one.querySelectorAll('title').length)"
    ):
        assert figure > 0
    page.close()
