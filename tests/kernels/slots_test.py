"""Adapter slots, and what the decoder refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import Decoded, Decoder, Window
from sakedge.errors import (
    OptionError,
    SakedgeError,
    TensorError,
    UnknownAdapterError,
    UnknownTaskError,
)


@pytest.fixture
def student() -> RandomStudent:
    return make_student(Spec())


def run(student: RandomStudent, decoder: Decoder, present: tuple[str, ...], **more: Any) -> Decoded:
    arguments: dict[str, Any] = {
        "tasks": ["semseg"],
        "adapters": [present],
        "windows": [Window(8, 8)],
        "logits": True,
    }
    features = more.pop("features", student.features())
    return decoder.run(features, **(arguments | more))


def logits(decoded: Decoded) -> Any:
    return decoded.images[0]["semseg"].logits


def test_slots_are_told_in_expert_order(student: RandomStudent) -> None:
    decoder = student.decoder(adapters=("c",))
    assert decoder.adapters == ("c",)
    decoder.exchange("a", student.adapters["a"])
    assert decoder.adapters == ("a", "c")
    decoder.exchange("c", None)
    assert decoder.adapters == ("a",)
    decoder.exchange("c", None)
    assert decoder.adapters == ("a",)


def test_an_exchanged_adapter_is_as_if_loaded_from_the_start(student: RandomStudent) -> None:
    other = make_student(Spec(seed=5)).adapters["b"]
    decoder = student.decoder()
    before = logits(run(student, decoder, ("a", "b")))
    decoder.exchange("b", other)
    after = logits(run(student, decoder, ("a", "b")))
    assert (before != after).any()
    student.adapters["b"] = other
    np.testing.assert_array_equal(after, logits(run(student, student.decoder(), ("a", "b"))))


def test_an_adapter_of_another_width_fits_a_slot(student: RandomStudent) -> None:
    other = make_student(Spec(adapters={"b": 40}, seed=5)).adapters["b"]
    decoder = student.decoder()
    decoder.exchange("b", other)
    student.adapters["b"] = other
    np.testing.assert_array_equal(
        logits(run(student, decoder, ("b",))), logits(run(student, student.decoder(), ("b",)))
    )


def test_an_adapter_that_was_taken_away_is_refused(student: RandomStudent) -> None:
    decoder = student.decoder()
    decoder.exchange("b", None)
    with pytest.raises(UnknownAdapterError, match=r"'b' is not loaded; expected a, c"):
        run(student, decoder, ("a", "b"))
    run(student, decoder, ("a", "c"))


def test_a_refused_adapter_leaves_the_old_one(student: RandomStudent) -> None:
    decoder = student.decoder()
    before = logits(run(student, decoder, ("b",)))
    broken = dict(student.adapters["b"])
    name = "tsap.b.2.up.weight"
    broken[name] = broken[name][:, :-1]
    with pytest.raises(TensorError, match=r"adapters\.b"):
        decoder.exchange("b", broken)
    del broken[name]
    with pytest.raises(TensorError, match="has no tensor"):
        decoder.exchange("b", broken)
    np.testing.assert_array_equal(before, logits(run(student, decoder, ("b",))))


def test_unknown_names_list_those_that_there_are(student: RandomStudent) -> None:
    decoder = student.decoder()
    with pytest.raises(UnknownAdapterError, match="a, b, c"):
        decoder.exchange("d", None)
    with pytest.raises(UnknownAdapterError, match="a, b, c"):
        run(student, decoder, ("d",))
    with pytest.raises(UnknownTaskError, match="semseg, edge"):
        run(student, decoder, ("a",), tasks=["parts"])


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"windows": []}, id="no window"),
        pytest.param({"windows": [Window(0, 8)]}, id="empty window"),
        pytest.param({"windows": [Window(8, 8, top=float("nan"))]}, id="window at NaN"),
        pytest.param({"adapters": []}, id="no list of adapters"),
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
        run(student, student.decoder(), ("a",), **wrong)


def test_features_in_another_memory_order_give_the_same(student: RandomStudent) -> None:
    decoder = student.decoder()
    plain = logits(run(student, decoder, ("a",)))
    turned = [np.asfortranarray(x) for x in student.features()]
    np.testing.assert_array_equal(plain, logits(run(student, decoder, ("a",), features=turned)))


@pytest.mark.parametrize("threads", [0, -1, 100_000])
def test_a_senseless_number_of_threads_is_refused(student: RandomStudent, threads: int) -> None:
    with pytest.raises(OptionError, match="threads"):
        student.decoder(threads=threads)


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
        student.decoder()


def test_a_missing_head_is_named(student: RandomStudent) -> None:
    del student.heads["edge"]
    with pytest.raises(SakedgeError, match="no head was given for task 'edge'"):
        student.decoder()
