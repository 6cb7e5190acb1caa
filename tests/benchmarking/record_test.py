"""Records as files: whole, hostile, of the future; and what they keep to themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.benchmarking.records import drawn, record

from sakedge.benchmarking import read_record
from sakedge.benchmarking.plan import Plan, numbers_of, pause_text, pauses_of
from sakedge.benchmarking.privacy import described
from sakedge.benchmarking.software import wheel_digest
from sakedge.errors import NewerFormatError, OptionError, RecordError, StorageError
from sakedge.text import to_json


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    for number, found in enumerate((drawn(1), record([]))):
        path = tmp_path / f"{number}.json"
        path.write_text(to_json(found.to_dict(), indent=2))
        assert read_record(path) == found


def _with(change: Callable[[dict[str, Any]], object]) -> str:
    fields = drawn(1).to_dict()
    change(fields)
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no record"),
        ("{", "is no record"),
        ("[]", 'expected JSON with "format": "sakedge benchmark"'),
        ('{"format": "sakedge benchmark", "format_version": 1}', "Field required"),
        ('{"format": "sakedge benchmark", "format": "x"}', "a key twice"),
        ('{"results": {"throughput": NaN}}', "NaN is no number"),
        ("[" * 100_000, "nested"),
        ('{"format": ' + "9" * 5000 + "}", "digits"),
        (_with(lambda f: f.update(more=1)), "more: Extra inputs"),
        (_with(lambda f: f.update(format_version="1")), "format_version"),
        (_with(lambda f: f.update(taken="yesterday")), "taken"),
        (_with(lambda f: f["rounds"][0].update(first_inference_ms=-1)), "first_inference_ms"),
        (_with(lambda f: f["rounds"][0]["streams"][0].update(delayed=7)), "delayed"),
        (_with(lambda f: f["rounds"][0]["streams"][0].update(images=0)), "images"),
        (_with(lambda f: f["rounds"][0]["streams"][0]["callers"].clear()), "callers"),
        (_with(lambda f: f["rounds"][0]["streams"].clear()), "streams"),
        (_with(lambda f: f["student"].update(path=["x"] * 3)), "student.path"),
        (_with(lambda f: f["student"].pop("digest")), "student.digest"),
        (_with(lambda f: f["rounds"][1]["pauses"].clear()), "pauses"),
        (_with(lambda f: f["rounds"][1]["stages_ms"].clear()), "stages"),
        (_with(lambda f: f["missing"].update(x="y" * 10_000)), "missing"),
        (_with(lambda f: f["rounds"].pop()), "rounds"),
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(RecordError) as refused:
        read_record(path)
    assert reason in str(refused.value) and "r.json" in str(refused.value)


def test_results_are_made_of_the_rounds_and_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(_with(lambda f: f["results"].update(throughput=1e9)))
    assert read_record(path).results == drawn(1).results


def test_a_record_of_the_future_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text('{"format": "sakedge benchmark", "format_version": 2}')
    with pytest.raises(NewerFormatError, match="version 2"):
        read_record(path)


def test_a_file_that_is_not_there_or_is_a_folder_is_no_crash(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.json"):
        with pytest.raises(StorageError):
            read_record(path)


def test_no_folder_is_in_a_record() -> None:
    told = {
        "path": "/home/jane/acme corp/student.onnx",
        "backend_reason": "pinned by /home/jane/choice.json",
        "session": {"cache": r"C:\Users\jane\cache\x.blob", "ratio": "1/2"},
        "tasks": ("edge",),
    }
    found = described(told)
    assert found["path"] == "student.onnx"
    assert found["backend_reason"] == "pinned by …/choice.json"
    assert found["session"] == {"cache": "…/x.blob", "ratio": "1/2"}
    assert "jane" not in json.dumps(found)


def test_a_wheel_has_one_digest_and_no_package_none() -> None:
    first = wheel_digest("numpy")
    assert first is not None and first == wheel_digest("numpy") != wheel_digest("pydantic")
    assert wheel_digest("no-such-package") is None


def test_plans_are_checked_and_put_in_order() -> None:
    plan = Plan(streams=(4, 2, 2), intervals=(1.0, 0.01)).checked()
    assert (plan.streams, plan.intervals) == ((1, 2, 4), (0.01, 1.0))
    for wrong in (
        {"streams": (0,)},
        {"intervals": (0.0,)},
        {"intervals": (3600.0,)},
        {"rounds": 0},
        {"duration": float("nan")},
    ):
        with pytest.raises(OptionError, match="out of range"):
            Plan(**wrong).checked()  # type: ignore[arg-type]


def test_lists_are_read_as_people_write_them() -> None:
    assert numbers_of("1, 2,4") == (1, 2, 4)
    assert pauses_of("10ms, 0.5s,10s") == (0.01, 0.5, 10.0)
    assert [pause_text(each) for each in (0.01, 0.5, 10.0)] == ["10 ms", "500 ms", "10 s"]
    for wrong in ("", "a", "1,,2", "-1", "1.5"):
        with pytest.raises(OptionError):
            numbers_of(wrong)
    for wrong in ("", "10", "ms", "-1s", "1h", "1e3s"):
        with pytest.raises(OptionError):
            pauses_of(wrong)
