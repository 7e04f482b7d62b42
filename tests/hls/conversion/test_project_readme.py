"""The README of a generated project says what each output is: of one output for two classes, whose probability."""

from __future__ import annotations

from dataclasses import replace

import pytest
from network_builder import NetworkBuilder

from siliconv.hls.conversion.project_readme import _single_output
from siliconv.hls.rendering import render
from siliconv.network.output_sigmoid import with_sigmoid


def logits(units: int):
    builder = NetworkBuilder((4,))
    builder.dense(units)
    return replace(builder.network(), metadata={"class_names": ("cats", "dogs")})


def outputs_paragraph(classes, single):
    """Fill in the shorter of the two templates that have the sentence, and give its paragraph about numbers."""
    text = render(
        "README_oneapi.md.j2",
        **dict.fromkeys(("top", "hls4ml", "backend", "part", "clock_ns", "io_type", "vectors", "network_sha256"), "1"),
        layers=[],
        input_type="fixed<8,1>",
        input_fraction=7,
        output_type="fixed<8,1>",
        output_fraction=7,
        classes=classes,
        single=single,
    )
    return " ".join(text.partition("## Numbers")[2].split())


def test_one_logit_of_two_classes_is_named():
    network = logits(1)
    assert _single_output(network, ("cats", "dogs")) == "logit"
    said = outputs_paragraph(["cats", "dogs"], "logit")
    assert "The one output is a logit: above 0 the class is dogs, else cats." in said
    assert "in this order" not in said


def test_one_probability_of_two_classes_is_named():
    network = with_sigmoid(logits(1), name="probability")
    assert _single_output(network, ("cats", "dogs")) == "probability"
    said = outputs_paragraph(["cats", "dogs"], "probability")
    assert "The one output is the probability of dogs; that of cats is 1 minus it." in said


@pytest.mark.parametrize(("units", "classes"), [(2, ("cats", "dogs")), (1, ()), (1, ("cats", "dogs", "mice"))])
def test_other_outputs_are_listed_in_their_order(units, classes):
    assert _single_output(logits(units), classes) == ""
    assert "There is one output for each name, in this order: cats, dogs." in outputs_paragraph(["cats", "dogs"], "")
