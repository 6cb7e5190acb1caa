"""The images of a call may have different snapshots; parts that do not fit theirs are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.kernels.decoder_test import assert_same, run_one, whole
from tests.kernels.loaded import Loaded
from tests.kernels.students import FIVE_KINDS, RandomStudent, Spec, make_student

from sakedge import _core
from sakedge.adapters.snapshot import Part, Snapshot
from sakedge.decoder import ARITHMETICS, Decoded
from sakedge.errors import OptionError
from sakedge.images.window import Window

# Students of the same sizes, whose parts one decoder can run together.
VARIANTS = {
    "plain": Spec(),
    "other weights under the same names": Spec(seed=5),
    "a fourth adapter": Spec(adapters={"a": 6, "b": 9, "c": 1, "d": 30}, hidden=40, seed=6),
    "one adapter": Spec(adapters={"c": 17}, seed=7),
    "no adapter": Spec(adapters={}, seed=8),
    "no router": Spec(router="none", seed=9),
    "heads of other sizes": Spec(
        tasks=(("semseg", "labels", 300), *FIVE_KINDS[1:]), reduced=9, fused=140, seed=10
    ),
    "other tasks": Spec(tasks=(("parts", "labels", 21), ("edge", "probability", 1)), seed=11),
}


@pytest.mark.parametrize("precision", ARITHMETICS)
@pytest.mark.parametrize("threads", [1, 3])
def test_images_with_different_snapshots_give_what_each_gives_alone(
    threads: int, precision: str
) -> None:
    students = [make_student(spec) for spec in VARIANTS.values()]
    each = [Loaded(student, precision=precision) for student in students]
    snapshots = [loaded.snapshot for loaded in each]
    windows = [whole(student) for student in students]
    stem = students[0].features(len(each))
    serial = [
        loaded.decoder.run([x[i : i + 1] for x in stem], [snapshots[i]], [windows[i]], logits=True)
        for i, loaded in enumerate(each)
    ]
    expected = [image for (image,) in serial]

    decoder = Loaded(students[0], threads=threads, precision=precision).decoder
    assert_same(decoder.run(stem, snapshots, windows, logits=True), expected)
    turned = [x[::-1] for x in stem]
    assert_same(decoder.run(turned, snapshots[::-1], windows, logits=True), expected[::-1])


WIDER = Spec(width=36)
DEEPER = Spec(blocks=5)
FEWER_LEVELS = Spec(levels=(0, 2))
OTHER_LEVELS = Spec(levels=(0, 1, 3))
LEVELS = "blocks and levels 0 2 3"


@pytest.fixture
def student() -> RandomStudent:
    return make_student(Spec())


def run_with(student: RandomStudent, part: Part) -> None:
    """Runs the student with this part swapped in."""
    loaded = Loaded(student)
    loaded.snapshot = loaded.snapshot.having(part)
    run_one(student, loaded)


@pytest.mark.parametrize(
    ("kind", "name", "spec", "problem"),
    [
        ("adapters", "a", WIDER, f"an adapter for 36 channels, 4 {LEVELS}, not for 24 channels"),
        ("adapters", "a", FEWER_LEVELS, f"an adapter for .* levels 0 2, not for .* 4 {LEVELS}"),
        ("adapters", "a", OTHER_LEVELS, f"an adapter for .* levels 0 1 3, not for .* 4 {LEVELS}"),
        ("adapters", "a", DEEPER, f"an adapter for 24 channels, 5 {LEVELS}, not for .* 4 {LEVELS}"),
        ("routers", "edge", WIDER, f"a router for 36 channels, 4 {LEVELS}, not for 24 channels"),
        ("routers", "edge", FEWER_LEVELS, f"a router for .* levels 0 2, not for .* 4 {LEVELS}"),
        ("routers", "edge", OTHER_LEVELS, f"a router for .* levels 0 1 3, not for .* 4 {LEVELS}"),
        ("routers", "edge", DEEPER, f"a router for 24 channels, 5 {LEVELS}, not for .* 4 {LEVELS}"),
        ("routers", "edge", Spec(adapters={"a": 6}), "a router of 2 experts among 4"),
        ("routers", "edge", VARIANTS["a fourth adapter"], "a router of 5 experts among 4"),
        ("heads", "edge", WIDER, f"a head for 36 channels, 4 {LEVELS}, not for 24 channels"),
        ("heads", "edge", FEWER_LEVELS, f"a head for .* levels 0 2, not for .* 4 {LEVELS}"),
        ("heads", "edge", OTHER_LEVELS, f"a head for .* levels 0 1 3, not for .* 4 {LEVELS}"),
        ("heads", "edge", DEEPER, f"a head for 24 channels, 5 {LEVELS}, not for .* 4 {LEVELS}"),
    ],
)
def test_a_part_of_other_sizes_is_refused(
    student: RandomStudent, kind: str, name: str, spec: Spec, problem: str
) -> None:
    other = Loaded(make_student(spec)).snapshot
    with pytest.raises(OptionError, match=problem):
        run_with(student, getattr(other, kind)[name])


@pytest.mark.parametrize(("most", "one"), [("fp32", "int8"), ("int8", "fp32"), ("bf16", "int8")])
@pytest.mark.parametrize("kind", ["routers", "heads"])
def test_parts_of_two_precisions_run_each_in_its_own(
    student: RandomStudent, most: str, one: str, kind: str
) -> None:
    """Exchanging one task's router or head changes that task, and no bit of the others."""
    loaded = Loaded(student, precision=most)
    before = run_one(student, loaded)[0]
    other = getattr(Loaded(student, precision=one).snapshot, kind)["sal"]
    loaded.snapshot = loaded.snapshot.having(other)
    after = run_one(student, loaded)[0]
    for task, logits in before.logits.items():
        assert (after.logits[task].tobytes() == logits.tobytes()) is (task != "sal"), task
    error = np.abs(after.logits["sal"] - before.logits["sal"]).max()
    assert error < 0.05 * np.ptp(before.logits["sal"])


def test_a_path_of_another_precision_is_that_path(student: RandomStudent) -> None:
    """Among parts in float32, a path in int8 gives what it gives where all else is in float32."""
    loaded = Loaded(student)
    before = run_one(student, loaded)[0].logits["edge"]
    loaded.snapshot = loaded.snapshot.having(
        Loaded(student, precision="int8").snapshot.adapters["a"]
    )
    error = np.abs(run_one(student, loaded)[0].logits["edge"] - before).max()
    assert 0 < error < 0.05 * np.ptp(before)


def test_one_misfit_refuses_the_call_and_changes_nothing(student: RandomStudent) -> None:
    loaded = Loaded(student)
    before = run_one(student, loaded)
    misfit = Loaded(make_student(WIDER)).snapshot.heads["edge"]
    snapshots = [loaded.snapshot, loaded.snapshot.having(misfit)]
    with pytest.raises(OptionError, match="a head for 36 channels"):
        loaded.decoder.run(student.features(2), snapshots, [whole(student)] * 2)
    assert_same(run_one(student, loaded), before)


def test_a_head_whose_classes_its_kind_does_not_take_is_refused(student: RandomStudent) -> None:
    loaded = Loaded(student)
    five = loaded.snapshot.heads["semseg"].prepared
    with pytest.raises(_core.CoreError, match="no decoder probability of 5 classes"):
        _core.Snapshot([], [("probability", five, None)])


def with_places(student: RandomStudent, count: int) -> list[Decoded]:
    """What the student gives with `count` slots, all but its own empty."""
    loaded = Loaded(student)
    names = student.manifest.adapter_names
    empty = tuple(f"empty{i}" for i in range(count - len(names)))
    snapshot = replace(loaded.snapshot, slots=empty + names)
    return loaded.decoder.run(student.features(), [snapshot], [whole(student)], logits=True)


def test_256_places_are_as_good_as_three() -> None:
    student = make_student(Spec(router="none"))
    (few,), (many,) = run_one(student), with_places(student, 256)
    for task in student.manifest.task_names:
        np.testing.assert_array_equal(many.logits[task], few.logits[task])
        assert many.routing[task].shape == (3, 257)


def test_more_than_256_places_are_refused() -> None:
    with pytest.raises(OptionError, match="more than 256 adapters"):
        with_places(make_student(Spec(router="none")), 257)


def test_an_empty_snapshot_gives_nothing(student: RandomStudent) -> None:
    loaded = Loaded(student)
    nothing = Snapshot(loaded.snapshot.student, student.manifest.adapter_names)
    (out,) = loaded.decoder.run(student.features(), [nothing], [Window(8, 8)], logits=True)
    assert out.values == out.logits == out.routing == {}
