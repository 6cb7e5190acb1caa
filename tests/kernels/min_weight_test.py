"""Paths of small weight are not run."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from tests.kernels import reference
from tests.kernels.loaded import Loaded
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import Decoded
from sakedge.images.window import Window

# Routing weights of stem and adapters a, b, c at each of three levels, for both tasks.
WEIGHTS = {
    "semseg": [[0.4, 0.1, 0.3, 0.2], [0.5, 0.02, 0.4, 0.08], [0.6, 0.04, 0.06, 0.3]],
    "edge": [[0.4, 0.3, 0.1, 0.2], [0.5, 0.01, 0.01, 0.48], [0.7, 0.02, 0.08, 0.2]],
}


@pytest.fixture
def student() -> RandomStudent:
    """Its routers give WEIGHTS whatever the image."""
    spec = Spec(levels=(0, 2, 3), tasks=(("semseg", "labels", 5), ("edge", "probability", 1)))
    student = make_student(spec)
    for task, levels in WEIGHTS.items():
        for level, weights in zip(spec.levels, levels, strict=True):
            gate = f"mor.{level}.{task}.gate"
            student.routers[task][f"{gate}.weight"][...] = 0
            student.routers[task][f"{gate}.bias"][...] = np.log(weights)
    return student


def run(student: RandomStudent, tasks: tuple[str, ...], min_weight: float) -> Decoded:
    (out,) = Loaded(student).run(
        student.features(),
        tasks=tasks,
        adapters=[student.manifest.adapter_names],
        windows=[Window(*student.manifest.input_size)],
        logits=True,
        min_weight=min_weight,
    )
    return out


def changed(student: RandomStudent, adapter: str, first: int) -> RandomStudent:
    """The same with other weights in an adapter path from stage `first` on."""
    other = copy.deepcopy(student)
    for i in range(first, student.spec.blocks + 1):
        other.adapters[adapter][f"tsap.{adapter}.{i}.down.weight"] *= -1
    return other


def is_same(a: Decoded, b: Decoded) -> bool:
    assert a.logits.keys() == b.logits.keys()
    return all(np.array_equal(a.logits[task], b.logits[task]) for task in a.logits)


@pytest.mark.parametrize("min_weight", [0.0, 0.05, 0.15, 1.0])
def test_light_paths_add_nothing_and_the_others_keep_their_weight(
    student: RandomStudent, min_weight: float
) -> None:
    exact = reference.Student(student.manifest, student.routers, student.heads, student.adapters)
    xs = [x[0].astype(np.float64) for x in student.features()]
    out = run(student, ("semseg", "edge"), min_weight)
    for task in WEIGHTS:
        plane = exact.map(task, xs, student.manifest.adapter_names, min_weight)
        want = reference.resize(plane, *student.manifest.input_size).transpose(2, 0, 1)
        atol = 1e-5 * np.abs(want).max()
        np.testing.assert_allclose(out.logits[task], want, rtol=0, atol=atol)
        np.testing.assert_allclose(out.routing[task], WEIGHTS[task], atol=1e-6)


def test_a_path_stops_after_the_last_level_that_needs_it(student: RandomStudent) -> None:
    other = changed(student, "a", first=2)  # level 0 is stage 1; from there a stays below 0.05
    tasks = ("semseg", "edge")
    assert not is_same(run(student, tasks, 0.0), run(other, tasks, 0.0))
    assert is_same(run(student, tasks, 0.05), run(other, tasks, 0.05))


def test_a_path_goes_on_while_any_requested_task_needs_it(student: RandomStudent) -> None:
    other = changed(student, "c", first=2)
    both, one = ("semseg", "edge"), ("semseg",)
    assert not is_same(run(student, both, 0.35), run(other, both, 0.35))  # edge, level 2: 0.48
    assert is_same(run(student, one, 0.35), run(other, one, 0.35))


def test_a_path_that_no_level_needs_never_starts(student: RandomStudent) -> None:
    other = changed(student, "b", first=0)
    assert not is_same(run(student, ("edge",), 0.05), run(other, ("edge",), 0.05))
    assert is_same(run(student, ("edge",), 0.2), run(other, ("edge",), 0.2))


def test_a_path_that_was_not_asked_for_never_starts(student: RandomStudent) -> None:
    def without_b(student: RandomStudent) -> Decoded:
        (out,) = Loaded(student).run(
            student.features(),
            tasks=["edge"],
            adapters=[("a", "c")],
            windows=[Window(8, 8)],
            logits=True,
        )
        return out

    out = without_b(student)
    assert is_same(out, without_b(changed(student, "b", first=0)))
    np.testing.assert_array_equal(out.routing["edge"][:, 2], 0)
    np.testing.assert_allclose(out.routing["edge"].sum(-1), 1, atol=1e-6)
