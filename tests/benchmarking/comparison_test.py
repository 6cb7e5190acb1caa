"""Two records side by side, where the truth is known."""

from __future__ import annotations

from typing import Any

import pytest
from tests.benchmarking.records import STUDENT, drawn, one_round, record

from sakedge.benchmarking import Comparison, compare
from sakedge.benchmarking.comparison import Row, sentence
from sakedge.errors import OptionError


def row(found: Comparison, what: str) -> Row:
    return next(each for each in found.rows if each.what == what)


def test_the_same_is_hardly_ever_called_different() -> None:
    alarms = [row(compare(drawn(i), drawn(1000 + i)), "latency, median") for i in range(60)]
    assert sum(each.verdict == "differs" for each in alarms) <= 3  # 0.5 are expected


def test_a_slowdown_is_found_with_its_size() -> None:
    found = compare(drawn(1), drawn(2, median=26.0))
    latency, rate = row(found, "latency, median"), row(found, "throughput, 1 caller")
    assert latency.verdict == rate.verdict == "differs"
    assert latency.is_worse and rate.is_worse and found.is_worse
    assert latency.ratio is not None and latency.ratio.low < 1.3 < latency.ratio.high
    assert sentence(latency).startswith("worse: B has ")
    assert row(found, "peak memory").verdict == "no difference"


def test_faster_is_no_worse() -> None:
    found = compare(drawn(1, median=26.0), drawn(2))
    assert row(found, "latency, median").verdict == "differs"
    assert not found.is_worse
    assert sentence(row(found, "latency, median")).startswith("better: B has ")


def test_what_others_can_have_cost_is_not_called_a_difference() -> None:
    found = compare(drawn(1), drawn(2, median=26.0, delayed=0.5))
    assert row(found, "latency, median").verdict == "disturbed"
    assert not found.is_worse
    assert found.delayed == (0.0, 0.5)
    assert sentence(row(found, "latency, median")) == "cannot tell: other programs ran"


def test_a_difference_larger_than_what_others_can_have_cost_stays_one() -> None:
    found = compare(drawn(1), drawn(2, median=80.0, delayed=0.5))
    assert row(found, "latency, median").is_worse


def test_one_round_tells_nothing() -> None:
    found = compare(record([one_round([20.0])]), record([one_round([200.0])]))
    assert {each.verdict for each in found.rows} == {"too few rounds"}
    assert "at least" not in sentence(found.rows[0]) and "5 of each" in sentence(found.rows[0])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"digest": "b" * 64}, "student: aaaaaaaaaaaaaaaa… and bbbbbbbbbbbbbbbb…"),
        ({"input_size": [512, 512]}, "image size: 64, 96 and 512, 512"),
        ({"tasks": ["edge", "sal"]}, "tasks: edge and edge, sal"),
        ({"adapters": []}, "adapters: sam and none"),
    ],
)
def test_other_work_is_refused_by_name(changes: dict[str, Any], what: str) -> None:
    other = drawn(2).model_copy(update={"student": {**STUDENT, **changes}})
    with pytest.raises(OptionError, match=r"different work.*--anyway") as refused:
        compare(drawn(1), other)
    assert what in str(refused.value)
    found = compare(drawn(1), other, anyway=True)
    assert [str(each) for each in found.differences if each.is_other_work] == [what]


def test_other_settings_are_named_and_compared() -> None:
    other = drawn(2)
    other = other.model_copy(
        update={
            "student": {**STUDENT, "threads": 8, "precision": "int8"},
            "software": other.software.model_copy(update={"versions": {"sakedge": "0.2.0"}}),
            "device": other.device.model_copy(update={"cpu": "Another CPU"}),
        }
    )
    assert [str(each) for each in compare(drawn(1), other).differences] == [
        "precision: fp32 and int8",
        "threads: 2 and 8",
        "CPU: A CPU and Another CPU",
        "version of sakedge: 0.1.0 and 0.2.0",
    ]


def test_a_record_without_rounds_cannot_be_compared() -> None:
    with pytest.raises(OptionError, match="second record has no rounds"):
        compare(drawn(1), record([]))
