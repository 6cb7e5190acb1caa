"""The decoder in bf16 and int8 against float64 with rounded operands."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels import reference, rounded
from tests.kernels.decoder_test import SPECS, TOLERANCE, assert_same, run_all, subsets
from tests.kernels.loaded import Loaded
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import ARITHMETICS, arithmetics
from sakedge.errors import OptionError

STEP = {"bf16": 2.0**-8, "int8": 1 / 127}
"""From one rounded operand to the next: relative to it (bf16), to its row's largest (int8)."""


def maps(exact: reference.Student, student: RandomStudent, image: int) -> NDArray[np.float64]:
    """All logits of one image, each task in units of its largest."""
    features = [x[image].astype(np.float64) for x in student.features(3)]
    present = subsets(student)[image]
    size = student.manifest.input_size
    planes = [exact.map(task, features, present) for task in student.manifest.task_names]
    return np.concatenate([reference.resize(plane, *size).ravel() for plane in planes])


def rms(x: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(x).mean()))


@pytest.mark.parametrize("spec", ["three adapters, five kinds", "no router", "odd sizes"])
@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_it_is_far_closer_to_rounded_operands_than_these_are_to_exact_ones(
    precision: str, spec: str
) -> None:
    """Ours differs from the emulation where float32 sums tip an operand over to the next step.

    That needs an operand within TOLERANCE of the middle between two steps: a share of
    p = 2 TOLERANCE / STEP of all. It moves by a step then, where rounding moves any operand by
    step / sqrt(12) (root mean square). So ours differs by sqrt(12 p) of the rounding error.
    """
    student = make_student(SPECS[spec])
    weights = student.manifest, student.routers, student.heads, student.adapters
    exact, emulated = reference.Student(*weights), rounded.STUDENTS[precision](*weights)
    out = run_all(student, precision=precision)
    share = np.sqrt(12 * 2 * TOLERANCE / STEP[precision])
    for image in range(3):
        ours = np.concatenate(
            [
                np.moveaxis(logits, 0, -1).ravel().astype(np.float64)
                for logits in out[image].logits.values()
            ]
        )
        wanted = maps(emulated, student, image)
        rounding = rms(wanted - maps(exact, student, image))
        assert rms(ours - wanted) <= share * rounding


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_routing_follows_the_rounded_operands(precision: str) -> None:
    student = make_student(SPECS["more than one tile"])
    weights = student.manifest, student.routers, student.heads, student.adapters
    exact, emulated = reference.Student(*weights), rounded.STUDENTS[precision](*weights)
    xs = [x[0].astype(np.float64) for x in student.features(3)]
    names = student.manifest.adapter_names
    tasks = student.manifest.task_names
    out = run_all(student, precision=precision)[0].routing
    ours = np.array([out[task] for task in tasks], np.float64)
    wanted, unrounded = (
        np.array([each.routing(task, xs, names) for task in tasks]) for each in (emulated, exact)
    )
    share = np.sqrt(12 * 2 * TOLERANCE / STEP[precision])
    assert rms(ours - wanted) <= share * rms(wanted - unrounded)


@pytest.mark.parametrize("spec", ["odd sizes", "more than one tile", "one token", "no adapter"])
@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_the_number_of_threads_changes_no_bit(precision: str, spec: str) -> None:
    student = make_student(SPECS[spec])
    one = run_all(student, threads=1, precision=precision)
    for threads in (2, 3, 5):
        assert_same(one, run_all(student, threads=threads, precision=precision))


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_an_exchanged_adapter_is_rounded_too(precision: str) -> None:
    student = make_student(Spec())
    other = make_student(Spec(seed=5)).adapters["b"]
    loaded = Loaded(student, precision=precision)
    loaded.exchange("b", other)
    student.adapters["b"] = other
    assert_same(run_all(student, loaded=loaded), run_all(student, precision=precision))


def test_each_precision_gives_other_bits() -> None:
    student = make_student(Spec())
    seen = {
        run_all(student, precision=precision)[0].logits["depth"].tobytes()
        for precision in ARITHMETICS
    }
    assert len(seen) == len(ARITHMETICS)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(OptionError, match="fp32, bf16, int8"):
        Loaded(make_student(Spec()), precision="fp16")


def test_every_precision_has_an_instruction_set() -> None:
    found = arithmetics()
    assert set(found) == set(ARITHMETICS)
    assert found["fp32"].native
    assert all(isinstance(each.isa, str) and each.isa for each in found.values())


def test_decoders_of_all_precisions_may_live_together() -> None:
    student = make_student(Spec())
    students = {precision: Loaded(student, precision=precision) for precision in ARITHMETICS}
    for precision, loaded in students.items():
        assert_same(run_all(student, loaded=loaded), run_all(student, precision=precision))
