"""When a task passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sakedge.errors import QualityError
from sakedge.measuring.intervals import Estimate
from sakedge.quantizing.report import require
from sakedge.quantizing.verdict import Verdict, worst

NAN = float("nan")
GOOD = Verdict(
    metric="odsF",
    unit="%",
    reference=80.0,
    value=79.8,
    drop=Estimate(0.0025, -0.001, 0.006),
    allowed=0.01,
    worth=Estimate(0.2, 0.1, 0.3),
    n=100,
    dataset="line 3",
    dataset_digest="0" * 64,
    labelled=True,
)


def test_the_pessimistic_end_counts() -> None:
    assert GOOD.passed
    assert not replace(GOOD, drop=Estimate(0.0025, -0.001, 0.0101)).passed
    assert replace(GOOD, drop=Estimate(-0.05, -0.1, 0.0)).passed


def test_a_task_may_lose_a_quarter_of_what_its_adapters_are_worth() -> None:
    little = replace(GOOD, worth=Estimate(0.0096, 0.002, 0.02))
    assert little.most == pytest.approx(0.0024)
    assert not little.passed
    assert "0.24%" in little.told
    assert replace(little, labelled=False).most == pytest.approx(0.0048)
    assert replace(little, labelled=False).passed
    assert replace(GOOD, worth=Estimate(0.0096, -0.001, 0.02)).passed  # not significant
    assert replace(GOOD, worth=None).passed


@pytest.mark.parametrize("drop", [Estimate(NAN, NAN, NAN), Estimate(0.001, NAN, NAN)])
def test_what_is_not_known_does_not_pass(drop: Estimate) -> None:
    unknown = replace(GOOD, drop=drop)
    assert not unknown.passed
    assert worst({"edge": GOOD, "depth": unknown, "sal": GOOD}) != 0
    assert not worst({"edge": GOOD, "depth": unknown, "sal": GOOD}) <= 1


def test_a_drop_that_is_small_but_badly_known_asks_for_more_images() -> None:
    vague = replace(GOOD, drop=Estimate(0.002, -0.014, 0.018))
    assert vague.images_needed == 400
    with pytest.raises(QualityError, match="judge by 400 images"):
        require("student.onnx", {"onnxruntime 1.30": {"edge": vague}})
    bad = replace(GOOD, drop=Estimate(0.02, 0.01, 0.03))
    assert bad.images_needed == 0
    with pytest.raises(QualityError) as error:
        require("student.onnx", {"onnxruntime 1.30": {"edge": vague, "sal": GOOD, "depth": bad}})
    assert "edge in onnxruntime 1.30: odsF drops by 0.20%, by up to 1.80%" in str(error.value)
    assert "depth in onnxruntime 1.30: odsF drops by 2.00%" in str(error.value)
    assert "sal" not in str(error.value)
    assert error.value.verdicts["onnxruntime 1.30"]["sal"] is GOOD


def test_the_record_says_what_it_was_judged_by() -> None:
    found = replace(GOOD, labelled=False).quality()
    assert found.dataset == "line 3, agreement with fp32"
    assert (found.drop, found.drop_interval, found.allowed) == (0.0025, (-0.001, 0.006), 0.01)
    assert found.passed
