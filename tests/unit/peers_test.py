"""Ours beside the stock runtimes: real processes, briefly; no time is asserted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from tests.support.command_line import Run, assert_refused

from sakedge.exporting.targets import TARGETS
from sakedge.peers import Contestant, Plan, Race, Sample, compare, lead, race, summary
from sakedge.peers.compare import PRECISIONS, stock_peers
from sakedge.peers.race import REFERENCE
from sakedge.peers.stock import STOCK
from sakedge.peers.types import DECODED, LOGITS, Memory
from sakedge.peers.worker import inputs, largest_error

BRIEF = Plan(threads=1, batch=2, rounds=1, calls=1, seconds=0)


@pytest.fixture(scope="module")
def found(tiny_student: Path) -> Race:
    (only,) = compare(tiny_student, BRIEF, precisions=["fp32"])
    return only


def test_everyone_runs_in_turn_and_computes_the_same(found: Race) -> None:
    assert [each.label for each in found.contestants] == [
        "sakedge fp32",
        "onnxruntime fp32",
        "openvino fp32",
        "onnxruntime, exported fp32",
        "openvino, exported fp32",
    ]
    assert [each.exported for each in found.contestants] == [False] * 3 + [True] * 2
    assert found.refused == {}
    for each in found.contestants:
        (sample,) = found.ran(each.label)
        assert sample.error is not None
        assert sample.error < 1e-4  # fp32 against fp32, as in `sakedge verify`
        assert set(sample.ms) == ({DECODED, LOGITS} if each is found.ours else {LOGITS})
        assert all(ms > 0 for ms in sample.ms.values())


def test_memory_is_told_of_the_whole_process_and_of_its_own(found: Race) -> None:
    for each in found.contestants:
        (sample,) = found.ran(each.label)
        for memory in sample.memory.values():
            if memory.peak is None or memory.anonymous is None:
                pytest.skip("this system does not say")
            assert memory.peak > memory.anonymous > 1e6


def test_our_stages_are_told_and_make_up_our_time(found: Race) -> None:
    (sample,) = found.ran(found.ours.label)
    for measure, ms in sample.ms.items():
        assert set(sample.stages_ms[measure]) == {"stem", "decoder"}
        assert sum(sample.stages_ms[measure].values()) <= ms
    assert sample.details["isa"]


def test_a_race_comes_back_from_json(found: Race) -> None:
    adapter = TypeAdapter(Race)
    assert adapter.validate_json(adapter.dump_json(found)) == found


def test_who_cannot_run_is_left_out_with_the_reason(tiny_student: Path, tmp_path: Path) -> None:
    wrong = replace(REFERENCE, precision="bf16")
    broken = Contestant("nobody", "fp32", "sakedge.peers.runners:nobody")
    reference = tmp_path / "reference.npz"
    outcome = race(tiny_student, [wrong, broken], BRIEF, reference=reference)
    assert (
        outcome.refused[wrong.label]
        == "ONNX Runtime runs this file in fp32 only; expected fp32; got bf16."
    )
    assert "nobody" in outcome.refused[broken.label]
    assert [row.refused is None for row in summary(outcome)] == [False, False]
    assert [path.name for path in tmp_path.iterdir()] == [reference.name]  # kept, and whole
    with np.load(reference) as logits:
        assert len(logits["edge"]) == BRIEF.batch


def test_below_a_peers_lowest_precision_the_next_higher_one_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    has = {"onnxruntime": ("fp32",), "openvino": ("fp32", "bf16")}
    monkeypatch.setattr("sakedge.peers.stock.precisions", lambda name: has[name])
    graph = Path("exported.onnx")
    labels = {p: [peer.label for peer in stock_peers(p, graph)] for p in PRECISIONS}
    exported = ["onnxruntime, exported fp32", "openvino, exported fp32"]
    assert labels == {
        "fp32": ["onnxruntime fp32", "openvino fp32", *exported],
        "bf16": ["openvino bf16", "openvino, exported bf16"],
        "int8": ["openvino bf16", "openvino, exported bf16"],
    }
    has["openvino"] = ()  # not installed: the race reports it
    assert [peer.label for peer in stock_peers("int8", graph)] == labels["fp32"]


def test_one_exported_graph_is_what_each_stock_runtime_would_be_given() -> None:
    forms = {replace(TARGETS[name], name="", attention="") for name in STOCK}
    assert len(forms) == 1


def sample(**ms: float) -> Sample:
    memory = {measure: Memory(100, 50) for measure in ms}
    return Sample(1.0, ms, dict.fromkeys(ms, 1), {}, memory, 0.0, {})


def test_ratios_are_taken_pair_by_pair() -> None:
    ours, peer = Contestant("sakedge", "fp32", ""), Contestant("peer", "fp32", "", rounds=2)
    outcome = Race(
        "s.onnx",
        "0" * 64,
        BRIEF,
        [ours, peer],
        {
            ours.label: [sample(decoded=1, logits=2), sample(decoded=2, logits=2), None],
            peer.label: [sample(logits=4), sample(logits=6), sample(logits=1)],
        },
        {},
        {},
    )
    ratio = outcome.ratio(peer.label)  # 4 and 3; the third round has no pair
    assert ratio is not None
    assert (ratio.median, ratio.low, ratio.high, ratio.pairs) == (3.5, 3.0, 4.0, 2)
    like_for_like = outcome.ratio(peer.label, LOGITS)
    assert like_for_like is not None
    assert like_for_like.median == 2.5
    assert summary(outcome)[1].peak_ratio == 1.0


def test_a_lead_is_taken_apart_into_algebra_and_kernels() -> None:
    names = ("sakedge", "sakedge, variant", "slow", "fast", "slow, exported", "fast, exported")
    times = (10.0, 1.0, 70.0, 60.0, 25.0, 20.0)
    field = [Contestant(name, "fp32", "", exported="exported" in name) for name in names]
    samples = {
        each.label: [
            sample(**{LOGITS: ms, DECODED: ms} if "sakedge" in each.name else {LOGITS: ms})
        ]
        for each, ms in zip(field, times, strict=True)
    }
    outcome = Race("s.onnx", "0" * 64, BRIEF, field, samples, {}, {})
    found = lead(outcome)
    assert found is not None
    assert found.exported is not None
    assert (found.file.name, found.exported.name) == ("fast", "fast, exported")
    factors = [each.median for each in (found.both, found.algebra, found.kernels) if each]
    assert factors == [6.0, 3.0, 2.0]
    found = lead(replace(outcome, contestants=field[:4]))
    assert found is not None
    assert (found.exported, found.algebra, found.kernels) == (None, None, None)
    assert lead(replace(outcome, contestants=field[:1])) is None


def test_an_error_is_relative_to_the_range_of_its_task() -> None:
    reference = {"a": np.array([0.0, 10.0], np.float32), "b": np.array([0.0, 1.0], np.float32)}
    off = {"a": reference["a"] + 1, "b": [np.float32(0), np.float32(1.05)]}
    assert largest_error(off, reference) == pytest.approx(0.1)  # type: ignore[arg-type]


def test_a_batch_holds_different_images(tiny_student: Path) -> None:
    images = inputs(str(tiny_student), 2)
    assert images.dtype == np.float32
    assert np.ptp(images[0] - images[1]) > 0


class TestCommand:
    def test_the_table_and_the_json_tell_the_same(
        self, run: Run, tiny_student: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "peers.json"
        options = ("--peers", "--rounds", 1, "--warmup", 1, "--precision", "fp32", "-o", path)
        result = run("benchmark", tiny_student, "--threads", 1, *options)
        assert result.exit_code == 0, result.stderr
        (only,) = json.loads(path.read_text())
        rows = only["summary"]
        exported = ["onnxruntime, exported", "openvino, exported"]
        assert [row["name"] for row in rows] == ["sakedge", "onnxruntime", "openvino", *exported]
        assert [row["exported"] for row in rows] == [False] * 3 + [True] * 2
        for row in rows:
            assert f"{row['logits_ms']:.1f}" in result.stdout
        assert only["digest"][:16] in result.stdout
        assert re.search(r"algebra, .*exported fp32\): \d+\.\d\d", result.stdout)
        assert re.search(r"kernels, beyond that: \d+\.\d\d .* peak memory", result.stdout)
        assert only["machine"]["versions"]["openvino"]

    def test_what_stock_runtimes_cannot_follow_is_refused(
        self, run: Run, tiny_student: Path
    ) -> None:
        result = run("benchmark", tiny_student, "--peers", "--tasks", "edge")
        assert_refused(result, 64, "tasks", "--peers")
        result = run("benchmark", tiny_student, "--peers", "--precision", "fp16")
        assert_refused(result, 64, "fp32, bf16, int8")
