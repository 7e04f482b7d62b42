"""Pictures for a page: its colours and font, names of their own, texts that show, the same bytes twice."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from siliconv.models.answers.evaluation import binary_score
from siliconv.models.pictures import learning_curve_pictures, roc_picture
from siliconv.models.training.history import EpochRecord, History


@pytest.fixture
def history():
    return History(tuple(EpochRecord(n, 1.0 / (n + 1), 0.5, 1.2 / (n + 1), 0.4, 0.001, 1.0) for n in range(200)))


def test_the_epoch_that_was_kept_is_marked_and_values_are_told(tmp_path, history):
    loss, metric = learning_curve_pictures(history, tmp_path, "learning_float", 120)
    text = loss.read_text()
    assert (loss.name, metric.name) == ("learning_float_loss.svg", "learning_float_metric.svg")
    assert "kept: epoch 121" in text
    assert "<title>epoch 1, training: loss 1</title>" in text
    assert 50 < text.count("<title>") < 140, "not one for each of 200 epochs"
    assert "kept: epoch" not in learning_curve_pictures(history, tmp_path, "other", None)[0].read_text()


def test_a_picture_has_the_colours_of_the_page_and_names_of_its_own(tmp_path, history):
    loss, metric = learning_curve_pictures(history, tmp_path, "learning_float", 3)
    text = loss.read_text()
    ElementTree.fromstring(text)
    assert "currentColor" in text
    assert not re.search(r"#(000000|ffffff|1f77b4)[^)]", text)
    assert not re.search(r'<svg [^>]*(height|width)="', text)
    assert "font-family" not in text
    names = [set(re.findall(r'\bid="([^"]*)"', path.read_text())) for path in (loss, metric)]
    assert not names[0] & names[1]
    for used in re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', text):
        assert (used[0] or used[1]) in names[0]


def test_pictures_of_one_name_in_two_folders_have_names_of_their_own(tmp_path, history):
    texts = [learning_curve_pictures(history, tmp_path / part, "x", 1)[0].read_text() for part in ("one", "the: other")]
    names = [set(re.findall(r'\bid="([^"]*)"', text)) for text in texts]
    assert not names[0] & names[1]
    assert all(re.fullmatch(r"[\w.-]+", name) for name in names[1])


def test_the_same_picture_has_the_same_bytes(tmp_path):
    curve = binary_score(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    one = roc_picture({"a & <b>": curve}, tmp_path / "roc.svg").read_bytes()
    assert roc_picture({"a & <b>": curve}, tmp_path / "roc.svg").read_bytes() == one
    ElementTree.fromstring(one)
