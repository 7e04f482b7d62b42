"""Where the parts of the report's pictures stand: by hand, and inside the picture."""

from __future__ import annotations

import pytest

from siliconv.project.remembered_front import remember_front
from siliconv.report.drawings import block_diagram, fifo_curves, stacked, ticks_of, waterfall
from siliconv.report.front_drawing import HEIGHT, fit_scatter, search_scatter
from siliconv.report.range_drawing import range_chart
from siliconv.report.report import TEMPLATES, _scatters

TIMES = {
    "cycles": 200,
    "layers": [
        {"name": "a", "spans": [[0, 49], [100, 149]], "busy": 40},
        {"name": "b", "spans": [[50, 149], [150, 199]], "busy": 100},
    ],
    "fifos": [
        {"name": "a", "depth": 4, "bits": 8, "most": 3, "curve": [0, 3, 1]},
        {"name": "a->b", "depth": None, "bits": 8, "most": 0, "curve": []},
    ],
}


def render(macro, *arguments):
    module = TEMPLATES.get_template("charts.html.j2").make_module({})
    return str(getattr(module, macro)(*arguments))


def test_the_layer_that_works_longest_is_the_bottleneck():
    chart = waterfall(TIMES)
    assert chart.marked == ("b",), "and the other one waits for it"
    assert [(bar.left, bar.width) for bar in chart.rows[0].bars] == [(0, 25), (50, 25)]
    assert [bar.style for bar in chart.rows[1].bars] == ["slowest", "slowest later"]
    assert chart.rows[0].bars[0].told == "a, image 1: cycles 0 to 49, of which it works 40 of 50"
    page = render("rows", chart, "times")
    assert page.count("<rect") == page.count("<title>") == 4
    assert "bottleneck: works 100 cycles an image" in page


def test_where_all_work_alike_there_is_no_bottleneck():
    layers = [{"name": name, "spans": [[0, 0], [1, 1]], "busy": 1} for name in "abc"]
    chart = waterfall({"cycles": 2, "layers": layers})
    assert chart.marked == ()
    assert chart.rows[0].remark == "works 1 cycle an image"


def test_resources_are_stacked_by_layer():
    chart = stacked([("a", {"lut": 10, "dsp": 0}), ("b", {"lut": 30})], {"lut": "LUT", "dsp": "DSP"})
    assert [row.name for row in chart.rows] == ["LUT"], "what nobody takes has no row"
    assert [(bar.left, bar.width, bar.label) for bar in chart.rows[0].bars] == [(0, 25, "a"), (25, 75, "b")]


def test_a_fifo_is_drawn_against_its_depth():
    first, second = fifo_curves(TIMES)
    assert first.remark == "at most 3 of 4 words of 8 bits"
    assert first.points == "0,100 0.00,100.0 33.33,100.0 33.33,25.0 66.67,25.0 66.67,75.0 100.00,75.0 100,100"
    assert second.name == "a → b"
    assert render("curves", (first, second), ticks_of(0, 200), "fifos").count("<polygon") == 2


def node(name, *inputs):
    return {"name": name, "kind": "Conv", "shape": [2, 2], "type": "fixed<8,3>", "inputs": list(inputs)}


def test_a_skip_connection_runs_beside_the_boxes_and_two_of_them_side_by_side():
    nodes = [node("x"), node("a", "x"), node("b", "a"), node("add", "b", "x"), node("last", "add", "a")]
    blocks = block_diagram(nodes, {"a": ["reuse factor 3"]})
    assert [block.reads_above for block in blocks] == [False, True, True, True, True]
    assert blocks[3].jumps == ((blocks[0].top, 0),)
    assert blocks[4].jumps == ((blocks[1].top, 1),), "while the other line runs"
    assert blocks[1].lines == ("2 × 2 · fixed<8,3>", "reuse factor 3")
    assert blocks[1].height > blocks[0].height
    page = render("diagram", blocks, "network")
    assert page.count("<title>") == 5
    assert "padding-right: 34px" in page


def test_ranges_are_drawn_in_octaves():
    one = {"name": "a", "type": "ufixed<6,2,RND,SAT>", "step": 0.0625, "limit": 4.0, "at_limit": 0.5}
    chart = range_chart([one | {"quantiles": [0.125, 0.25, 0.5, 1.0, 2.0]}, one | {"quantiles": None}])
    type_bar, whisker, box, median = chart.rows[0].bars
    assert (type_bar.left, type_bar.left + type_bar.width) == (pytest.approx(100 / 8), pytest.approx(100 * 7 / 8))
    assert whisker.left < box.left < median.left < box.left + box.width < whisker.left + whisker.width
    assert chart.rows[0].remark == "ufixed<6,2>, 50.00% at the end"
    assert len(chart.rows[1].bars) == 1


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 1749), (0.91, 0.97), (-3, 8), (5, 5)])
def test_marks_are_inside_and_few(low, high):
    ticks = ticks_of(low, high)
    assert len(ticks) <= 6
    assert all(0 <= tick.at <= 100.001 for tick in ticks)


def test_the_trials_of_a_search_are_drawn():
    def trial(name, value, lut, feasible=True):
        score = {"metric": "accuracy", "value": value}
        return {"id": name, "validation": score, "costs": {"lut": lut}, "feasible": feasible}

    found = {
        "cost": "lut",
        "front": ["a", "b"],
        "chosen": "b",
        "board": "pynq-z2",
        "core": "hls",
        "reference": {"metric": "accuracy", "value": 0.99},
        "trials": [trial("a", 0.9, 100), trial("b", 0.95, 200), trial("c", 0.8, 300), trial("d", 0.97, 900, False)],
    }
    scatter = search_scatter(found)
    assert sorted(dot.style for dot in scatter.dots) == ["chosen", "front", "full", "other"]
    assert all(0 <= dot.across <= 100 and 0 <= dot.down <= HEIGHT for dot in scatter.dots)
    assert render("plane", scatter).count("<circle") == 4
    assert len(scatter.line.split()) == 2, "the chosen one is of the front too"


def test_the_designs_of_a_fit_are_drawn():
    def design(rate, share, *, fits=True, surely=True):
        shares = {"images_per_second": rate, "latency_us": 3.0, "resource": "lut", "share": share}
        return shares | {"fits": fits, "surely": surely}

    front = [design(100, 0.1), design(1000, 0.5, surely=False), design(9000, 1.7, fits=False), design(1, None)]
    chosen = {"images_per_second": 90.0, "shares": {"lut": 0.1, "uram": None}}
    found = {"front": front, "chosen": chosen, "board": {"title": "A board"}, "target": "the fastest that fits"}
    scatter = fit_scatter(found)
    assert "Orange: fits by the estimate" in scatter.note
    assert sorted(dot.style for dot in scatter.dots) == ["chosen", "front", "full", "risk"]
    assert all(0 <= dot.down <= HEIGHT for dot in scatter.dots)
    assert "hls4ml core" in scatter.title
    assert "SystemVerilog" in fit_scatter(found | {"core": "rtl", "chosen": None}).title


def test_what_a_search_left_is_drawn_and_damage_is_named(tmp_path):
    front = {"front": [], "chosen": None, "board": {"title": "A board"}, "target": "the fastest that fits"}
    remember_front(tmp_path, "fit-hls", front)
    remember_front(tmp_path, "fit-rtl", {"front": "none"})
    remember_front(tmp_path, "search", {"trials": 3})
    scatters, unreadable = _scatters(tmp_path / "build", "inputs")
    assert [one.title for one in scatters] == ["Designs for a board (siliconv fit, hls4ml core)"]
    assert scatters[0].up == "inputs a second"
    assert unreadable == ["search", "fit-rtl"]
    assert _scatters(tmp_path / "nothing" / "build", "images") == ([], [])
