"""The words of the first screen: EXACT, FITS and the others, each from the figures that it stands for."""

from __future__ import annotations

import pytest

from siliconv.report.verdicts import exactness, hls_fit, rtl_fit

AVAILABLE = {"lut": 1000, "ff": 2000, "dsp": 100, "bram18": 50, "uram": 0}


def estimate(lut, high, **more):
    """An estimate that takes so many of 1000 LUTs."""
    found = {name: {"value": 0, "low": 0, "high": 0} for name in AVAILABLE} | {
        "lut": {"value": lut, "low": lut // 2, "high": high}
    }
    fit = {"most_share": 0.8, "fits": lut <= 800, "surely": high <= 800, "chance": 0.7}
    board = {"title": "A board", "available": AVAILABLE, "fit": fit}
    return {
        "source": "estimate",
        "clock_ns": 5.0,
        "part": "xc",
        "logic_synthesis": found,
        "lut": {"value": 9999},
        "board": board,
        **more,
    }


@pytest.mark.parametrize(
    ("lut", "high", "word", "tone"),
    [
        (400, 700, "FITS", "good"),
        (400, 900, "AT RISK", "risk"),
        (900, 950, "AT RISK", "risk"),
        (1100, 1500, "DOES NOT FIT", "bad"),
    ],
)
def test_an_estimate_fits_with_its_band_or_is_at_risk(lut, high, word, tone):
    verdict, shares = hls_fit(estimate(lut, high))
    assert (verdict.word, verdict.tone) == (word, tone)
    assert "A board at 200 MHz (5 ns)" in verdict.says
    assert (f"the band of LUT reaches to {high / 1000:.0%}" in verdict.says) == (word == "AT RISK")
    assert shares[0].share == lut / 1000, "logic synthesis, not the figure of C synthesis"
    assert shares[0].band == (lut // 2 / 1000, high / 1000)
    assert [one.title for one in shares] == ["LUT", "FF", "DSP", "BRAM (18 Kb)"], (
        "a board without URAM has no bar of it"
    )


@pytest.mark.parametrize(
    ("lut", "met", "word"),
    [(400, True, "FITS"), (400, None, "FITS"), (400, False, "AT RISK"), (1200, True, "DOES NOT FIT")],
)
def test_a_report_of_logic_synthesis_takes_the_place_of_the_estimate(lut, met, word):
    timing = {} if met is None else {"met": met}
    stages = {"csynth": {"lut": 5000.0}, "vsynth": {"lut": float(lut), "ff": 10.0, "dsp": 0.0, "bram18": 0.0}}
    verdict, shares = hls_fit(estimate(100, 100, measured={"tool": "Vitis HLS", "stages": stages, "timing": timing}))
    assert verdict.word == word
    assert (shares[0].used, shares[0].band) == (lut, None)


def test_a_report_of_c_synthesis_says_nothing_about_the_device():
    measured = {"tool": "Vitis HLS", "stages": {"csynth": {"lut": 5000.0}}, "timing": {}}
    verdict, shares = hls_fit(estimate(400, 700, measured=measured))
    assert (verdict.word, shares[0].used) == ("FITS", 400)


def test_without_a_board_there_is_no_verdict():
    verdict, shares = hls_fit(estimate(1, 1) | {"board": None})
    assert (verdict.word, verdict.tone, shares) == ("NO VERDICT", "unknown", ())


CLAIMS = [
    {
        "claim": "no value leaves its type",
        "ground": "proof",
        "count": 11,
        "unit": "nodes",
        "holds": True,
        "executor": "a",
    },
    {
        "claim": "weights are the network's",
        "ground": "comparison",
        "count": 3658,
        "unit": "numbers",
        "holds": True,
        "executor": "b",
    },
    {"claim": "bits are equal", "ground": "test", "count": 99, "unit": "values", "holds": True, "executor": "g++"},
]
CERTIFICATE = {
    "exact": True,
    "claims": CLAIMS,
    "edited": [],
    "vectors": 7,
    "vectors_by_origin": {"test images": 6, "directed": 1},
    "layers": [{"values": 99}],
}


def test_exact_counts_proof_comparison_and_test_apart():
    verdict = exactness(CERTIFICATE, "")
    assert (verdict.word, verdict.tone) == ("EXACT", "good")
    lines = dict(verdict.lines)
    assert lines["Proven for every input"] == "no value leaves its type (11 nodes, a)"
    assert lines["Compared in files"] == "weights are the network's (3,658 numbers, b)"
    assert "Claims: 1 proven for every input, 1 compared in files, 1 tested." in verdict.says
    assert "bits are equal (99 values, g++)" in lines["Tested"]
    assert lines["Test vectors"] == "7: 6 test images, 1 directed"
    assert dict(exactness(CERTIFICATE, "", "input").lines)["Test vectors"] == "7: 6 test inputs, 1 directed"


def test_a_certificate_that_does_not_hold_says_why():
    wrong = CERTIFICATE | {"exact": False, "claims": [*CLAIMS[:2], CLAIMS[2] | {"holds": False}], "edited": ["net.cpp"]}
    verdict = exactness(wrong, "layer conv_1 differs")
    assert (verdict.word, verdict.tone, verdict.says) == ("NOT EXACT", "bad", "layer conv_1 differs")
    assert "NOT TRUE" in dict(verdict.lines)["Tested"]
    assert "net.cpp" in dict(verdict.lines).values()


SYNTH = {"family": "xc7", "lut": 400, "lut_memory": 20, "ff": 100, "dsp": 10, "block_memory": 5}
BOARD = {"title": "A board", "available": AVAILABLE, "most_share": 0.8}


@pytest.mark.parametrize(
    ("lut", "board", "word"),
    [(400, BOARD, "FITS"), (900, BOARD, "AT RISK"), (1400, BOARD, "DOES NOT FIT"), (400, None, "NO VERDICT")],
)
def test_the_other_core_is_judged_by_what_yosys_counts(lut, board, word):
    verdict, shares = rtl_fit({"place": None, "synth": SYNTH | {"lut": lut}}, board, 150.0)
    assert verdict.word == word
    assert [one.used for one in shares] == ([lut + 20, 100, 10, 5] if board else [])


@pytest.mark.parametrize(("mhz", "word"), [(160.0, "FITS"), (120.0, "AT RISK")])
def test_a_placed_core_fits_and_its_clock_is_reached_or_not(mhz, word):
    place = {"part": "LFE5U", "mhz": mhz, "used": {"MULT18X18D": 12}, "available": {"MULT18X18D": 156}}
    verdict, shares = rtl_fit({"place": place, "synth": SYNTH}, BOARD, 150.0)
    assert verdict.word == word
    assert [(one.title, one.used) for one in shares] == [("DSP (18 x 18)", 12)]


def test_a_core_that_was_not_mapped_has_no_verdict():
    assert rtl_fit({"place": None, "synth": None}, BOARD, 150.0)[0].word == "NO VERDICT"
