"""Parts are exchanged, and the decoder refuses tensors and arguments that do not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels.loaded import Loaded
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.errors import OptionError, TensorError
from sakedge.images.window import Window


@pytest.fixture
def student() -> RandomStudent:
    return make_student(Spec())


def logits(
    student: RandomStudent, loaded: Loaded, present: tuple[str, ...], **more: Any
) -> NDArray[np.float32]:
    arguments: dict[str, Any] = {
        "tasks": ["semseg"],
        "adapters": [present],
        "windows": [Window(8, 8)],
        "logits": True,
    }
    features = more.pop("features", student.features())
    return loaded.run(features, **(arguments | more))[0].logits["semseg"]


def test_adapters_stand_in_expert_order(student: RandomStudent) -> None:
    loaded = Loaded(student, adapters=("c",))
    assert loaded.snapshot.active == ("c",)
    loaded.exchange("a", student.adapters["a"])
    assert loaded.snapshot.active == ("a", "c")
    loaded.exchange("c", None)
    assert loaded.snapshot.active == ("a",)
    loaded.exchange("c", None)
    assert loaded.snapshot.active == ("a",)


def test_an_exchanged_adapter_is_as_if_loaded_from_the_start(student: RandomStudent) -> None:
    other = make_student(Spec(seed=5)).adapters["b"]
    loaded = Loaded(student)
    before = logits(student, loaded, ("a", "b"))
    loaded.exchange("b", other)
    after = logits(student, loaded, ("a", "b"))
    assert (before != after).any()
    student.adapters["b"] = other
    np.testing.assert_array_equal(after, logits(student, Loaded(student), ("a", "b")))


def test_an_adapter_of_another_width_fits_a_place(student: RandomStudent) -> None:
    other = make_student(Spec(adapters={"b": 40}, seed=5)).adapters["b"]
    loaded = Loaded(student)
    loaded.exchange("b", other)
    student.adapters["b"] = other
    np.testing.assert_array_equal(
        logits(student, loaded, ("b",)), logits(student, Loaded(student), ("b",))
    )


def test_an_adapter_that_was_taken_away_is_as_one_left_out(student: RandomStudent) -> None:
    loaded = Loaded(student)
    left_out = logits(student, loaded, ("a", "c"))
    loaded.exchange("b", None)
    np.testing.assert_array_equal(logits(student, loaded, ("a", "b", "c")), left_out)


def test_a_refused_adapter_leaves_the_old_one(student: RandomStudent) -> None:
    loaded = Loaded(student)
    before = logits(student, loaded, ("b",))
    broken = dict(student.adapters["b"])
    name = "tsap.b.2.up.weight"
    broken[name] = broken[name][:, :-1]
    with pytest.raises(TensorError, match=r"adapters\.b"):
        loaded.exchange("b", broken)
    del broken[name]
    with pytest.raises(TensorError, match="has no tensor"):
        loaded.exchange("b", broken)
    np.testing.assert_array_equal(before, logits(student, loaded, ("b",)))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"windows": []}, id="no window"),
        pytest.param({"windows": [Window(0, 8)]}, id="empty window"),
        pytest.param({"windows": [Window(8, 8, top=float("nan"))]}, id="window at NaN"),
        pytest.param({"adapters": []}, id="no snapshot"),
        pytest.param({"min_weight": -0.1}, id="negative min_weight"),
        pytest.param({"min_weight": float("nan")}, id="min_weight NaN"),
        pytest.param({"features": []}, id="no features"),
        pytest.param({"features": [np.zeros((1, 16, 24))] * 5}, id="float64 features"),
        pytest.param({"features": [np.zeros((1, 15, 24), np.float32)] * 5}, id="too few tokens"),
        pytest.param({"features": [np.zeros((2, 16, 24), np.float32)] * 5}, id="larger batch"),
        pytest.param({"features": [[[0.0]]] * 5}, id="lists for features"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(student: RandomStudent, wrong: Any) -> None:
    with pytest.raises(OptionError, match="expected"):
        logits(student, Loaded(student), ("a",), **wrong)


def test_features_in_another_memory_order_give_the_same(student: RandomStudent) -> None:
    loaded = Loaded(student)
    plain = logits(student, loaded, ("a",))
    turned = [np.asfortranarray(x) for x in student.features()]
    np.testing.assert_array_equal(plain, logits(student, loaded, ("a",), features=turned))


@pytest.mark.parametrize("threads", [0, -1, 100_000])
def test_a_senseless_number_of_threads_is_refused(student: RandomStudent, threads: int) -> None:
    with pytest.raises(OptionError, match="threads"):
        Loaded(student, threads=threads)


@pytest.mark.parametrize(
    ("part", "name", "change"),
    [
        ("heads", "heads.semseg.fuse.weight", lambda t: t[:, :-1]),
        ("heads", "heads.semseg.fuse.weight", lambda t: t[..., :1]),
        ("heads", "heads.semseg.last.weight", lambda t: t[:-1]),
        ("heads", "heads.semseg.linears.0.bias", lambda t: t[:-1]),
        ("heads", "heads.semseg.linears.1.weight", lambda t: t.astype(np.float64)),
        ("routers", "mor.0.semseg.gate.weight", lambda t: t[:, :-1]),
        ("routers", "mor.2.semseg.norm.weight", lambda t: t[None]),
        ("adapters", "norms.2.a.bias", lambda t: t[:-1]),
        ("adapters", "tsap.a.0.down.weight", lambda t: t[:-1]),
    ],
)
def test_tensors_that_do_not_fit_are_refused(
    student: RandomStudent, part: str, name: str, change: Any
) -> None:
    component = next(c for c in getattr(student, part).values() if name in c)
    component[name] = change(component[name])
    with pytest.raises(TensorError):
        Loaded(student)


def test_a_head_without_tensors_is_named(student: RandomStudent) -> None:
    student.heads["edge"] = {}
    with pytest.raises(TensorError, match=r"heads\.edge has no tensor"):
        Loaded(student)


def test_what_is_no_stem_is_refused(student: RandomStudent) -> None:
    loaded = Loaded(student)
    with pytest.raises(OptionError, match="number of stem outputs"):
        loaded.decoder.run(None, [loaded.snapshot], [Window(8, 8)])  # type: ignore[arg-type]


def test_parts_of_another_model_are_refused(student: RandomStudent) -> None:
    loaded = Loaded(student)
    part = replace(loaded.snapshot.heads["edge"], prepared=object())
    with pytest.raises(OptionError, match="cannot be passed to the kernels"):
        loaded.decoder.run(student.features(), [loaded.snapshot.having(part)], [Window(8, 8)])


@pytest.mark.parametrize("window", [Window(2**20 + 1, 1), Window(2**20, 2**20)])
def test_a_window_larger_than_any_picture_is_refused(
    student: RandomStudent, window: Window
) -> None:
    loaded = Loaded(student)
    for values in (True, False):
        with pytest.raises(OptionError, match="a window: expected sides"):
            loaded.decoder.run(student.features(), [loaded.snapshot], [window], values=values)
