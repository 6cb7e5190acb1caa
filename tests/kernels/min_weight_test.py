"""Paths that do not matter are not run."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import reference
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import Decoded, Window

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
    return student.decoder().run(
        student.features(),
        tasks=tasks,
        adapters=[student.manifest.adapter_names],
        windows=[Window(*student.manifest.input_size)],
        logits=True,
        min_weight=min_weight,
    )


def poison(student: RandomStudent, adapter: str, first: int) -> None:
    """Makes an adapter path give NaN from stage `first` on."""
    for i in range(first, student.spec.blocks + 1):
        student.adapters[adapter][f"tsap.{adapter}.{i}.down.weight"][...] = np.nan


def is_finite(decoded: Decoded) -> bool:
    return all(np.isfinite(task.logits).all() for task in decoded.images[0].values())


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
        np.testing.assert_allclose(out.images[0][task].logits, want, rtol=0, atol=atol)
        np.testing.assert_allclose(out.routing[0][task], WEIGHTS[task], atol=1e-6)


def test_a_path_stops_after_the_last_level_that_needs_it(student: RandomStudent) -> None:
    poison(student, "a", first=2)  # level 0 is stage 1; from there a stays below 0.05
    assert not is_finite(run(student, ("semseg", "edge"), 0.0))
    assert is_finite(run(student, ("semseg", "edge"), 0.05))


def test_a_path_goes_on_while_any_requested_task_needs_it(student: RandomStudent) -> None:
    poison(student, "c", first=2)
    assert not is_finite(run(student, ("semseg", "edge"), 0.35))  # edge, level 2: 0.48
    assert is_finite(run(student, ("semseg",), 0.35))


def test_a_path_that_no_level_needs_never_starts(student: RandomStudent) -> None:
    poison(student, "b", first=0)
    assert not is_finite(run(student, ("edge",), 0.05))
    assert is_finite(run(student, ("edge",), 0.2))


def test_a_path_that_was_not_asked_for_never_starts(student: RandomStudent) -> None:
    poison(student, "b", first=0)
    out = student.decoder().run(
        student.features(),
        tasks=["edge"],
        adapters=[("a", "c")],
        windows=[Window(8, 8)],
        logits=True,
    )
    assert is_finite(out)
    np.testing.assert_array_equal(out.routing[0]["edge"][:, 2], 0)
    np.testing.assert_allclose(out.routing[0]["edge"].sum(-1), 1, atol=1e-6)
