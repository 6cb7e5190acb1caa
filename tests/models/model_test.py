"""What every model must do, whatever computes it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.support.pictures import picture, same

import sakedge
from sakedge.errors import AbilityError, ClosedError, ImageError, OptionError, UnknownTaskError
from sakedge.images.fit import Normalizer
from sakedge.peers.stock import open_stock
from sakedge.runtime.models import CHOOSABLE

Load = Callable[..., sakedge.Student]


def same_routing(ours: sakedge.Result, theirs: sakedge.Result) -> bool:
    """Whether both weigh the same experts alike; what takes no part must be an exact zero."""
    return all(
        ours.routing[task].experts == routing.experts
        and np.allclose(ours.routing[task].weights, routing.weights, atol=1e-5, rtol=0)
        and np.array_equal(ours.routing[task].weights == 0, routing.weights == 0)
        for task, routing in theirs.routing.items()
    )


def test_all_models_are_in_this_suite() -> None:
    from tests.models import conftest

    # That of the backend cuda is held to the precision of 16 bits: tests/cuda/model_test.py.
    assert {model for model, _ in conftest.MODELS} == set(CHOOSABLE)


def test_a_stranger_needs_less_than_sixty_lines(student: sakedge.Student) -> None:
    from tests.support import stranger

    assert len(Path(stranger.__file__).read_text().splitlines()) < 60
    assert student.explain().backend in ("onnxruntime", "openvino", "reference")


def test_logits_are_those_of_the_stock_runtime(
    student: sakedge.Student, tiny_student: Path
) -> None:
    image = picture(64, 96)
    inputs = Normalizer(student.manifest.preprocess)(image)[np.newaxis]
    stock = open_stock("onnxruntime", tiny_student, 1, "fp32").run(inputs)
    result = student(image, logits=True)
    inferred = student.infer(inputs, logits=True).images[0]
    for task, expected in stock.items():
        atol = 1e-4 * np.ptp(expected)
        np.testing.assert_allclose(result[task].logits, expected[0], atol=atol, rtol=0)
        np.testing.assert_allclose(inferred[task].logits, expected[0], atol=atol, rtol=0)


@pytest.mark.parametrize(
    ("size", "fit"),
    [
        ((64, 96), "pad"),
        ((31, 50), "pad"),
        ((640, 960), "letterbox"),
        ((20, 90), "letterbox"),
        ((100, 150), "tile"),
        ((30, 250), "tile"),
    ],
)
def test_every_model_sees_the_same(
    size: tuple[int, int], fit: str, student: sakedge.Student, host: sakedge.Student
) -> None:
    ours, expected = student(picture(*size), fit=fit), host(picture(*size), fit=fit)
    assert same(ours, expected)
    assert same_routing(ours, expected)


def test_a_batch_gives_the_bits_of_single_images(load: Load) -> None:
    images = [picture(64, 96, 1), picture(50, 60, 2), picture(64, 96, 3)]
    with load(config={"max_batch": 3}) as student:
        together = student(images)
        assert all(same(a, student(b), 0) for a, b in zip(together, images, strict=True))


def test_a_call_narrows_the_tasks_in_its_own_order(student: sakedge.Student) -> None:
    whole, some = student(picture(64, 96)), student(picture(64, 96), tasks=["height", "edge"])
    assert some.tasks == ("height", "edge")
    for task in some:
        np.testing.assert_array_equal(some[task].values, whole[task].values)
    with pytest.raises(UnknownTaskError):
        student(picture(64, 96), tasks=["nothing"])


def test_a_student_is_loaded_with_some_tasks_only(load: Load, host: sakedge.Student) -> None:
    with load(tasks=["sal"]) as student:
        result = student(picture(64, 96))
        assert result.tasks == ("sal",)
        assert same(result, host(picture(64, 96), tasks=["sal"]))


def test_a_result_names_what_made_it(student: sakedge.Student) -> None:
    result = student(picture(64, 96), tasks=["edge"])
    manifest = student.manifest
    assert result.digests == {
        "student": student.explain().digest,
        **{
            part: manifest.digests[part]
            for part in ("adapters.dino", "adapters.sam", "routers.edge", "heads.edge")
        },
    }
    assert result.to_dict()["digests"] == result.digests


@pytest.mark.parametrize("adapters", [["sam"], ["dino"], [], ["sam", "dino"]])
def test_a_call_narrows_the_adapters(
    adapters: list[str], student: sakedge.Student, host: sakedge.Student
) -> None:
    ours, theirs = (s(picture(64, 96), adapters=adapters) for s in (student, host))
    assert same(ours, theirs)
    assert ours.adapters == theirs.adapters
    assert same_routing(ours, theirs)


def test_each_image_of_a_list_has_adapters_of_its_own(load: Load) -> None:
    choices: list[list[str] | None] = [["sam"], [], None, ["dino"]]
    images = [picture(64, 96, seed) for seed in range(4)]
    with load(config={"max_batch": 4}) as student:
        together = student(images, adapters=choices)
        for result, image, choice in zip(together, images, choices, strict=True):
            assert same(result, student(image, adapters=choice), 0)


@pytest.mark.parametrize("adapters", [["sam"], []])
def test_a_student_is_loaded_with_some_adapters_only(
    adapters: list[str], load: Load, host: sakedge.Student
) -> None:
    with load(adapters=adapters) as student:
        ours, theirs = student(picture(64, 96)), host(picture(64, 96), adapters=adapters)
        assert same(ours, theirs)
        assert ours.adapters == tuple(adapters)
        assert same_routing(ours, theirs)


def test_what_a_model_cannot_is_refused_when_it_is_loaded(load: Load) -> None:
    with load() as student:
        cannot = student._model.cannot  # type: ignore[union-attr]
    if "min_weight" in cannot:
        with pytest.raises(AbilityError, match=cannot["min_weight"]):
            load(config={"min_weight": 0.1})
    else:
        load(config={"min_weight": 0.1}).close()


def test_what_does_not_fit_is_refused(student: sakedge.Student) -> None:
    with pytest.raises(ImageError, match="larger than the student's input"):
        student(picture(65, 96), fit="pad")
    with pytest.raises(OptionError, match="no logits of a tiled image"):
        student(picture(100, 100), fit="tile", logits=True)


def test_many_threads_give_the_bits_of_one(student: sakedge.Student) -> None:
    images = [picture(64, 96, seed) for seed in range(4)]
    serial = [student(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for result, number in zip(
            pool.map(lambda n: student(images[n % 4]), range(16)), range(16), strict=True
        ):
            assert same(result, serial[number % 4], 0)


def test_progress_of_a_tiled_image_reaches_its_end(student: sakedge.Student) -> None:
    seen: list[tuple[str, float]] = []
    student(picture(100, 150), fit="tile", progress=lambda *each: seen.append(each))
    shares = [share for _, share in seen]
    assert len(seen) > 2
    assert shares == sorted(shares)
    assert seen[0] == (f"the image, tile 1 of {len(seen)}", 0.0)


def test_it_explains_itself_and_is_loaded_again(load: Load) -> None:
    with load() as student:
        told = student.explain()
        assert told.model in str(told)
        assert told.session["runtime"]
        frozen = pickle.dumps(student)
        expected = student(picture(64, 96))
    with pytest.raises(ClosedError):
        student(picture(64, 96))
    with pickle.loads(frozen) as again:
        assert again.explain().model == told.model
        assert same(again(picture(64, 96)), expected, 0)
