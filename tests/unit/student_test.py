"""A student from load to result: what is asked for is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.support.pictures import picture, same

import sakedge
from sakedge.errors import OptionError
from sakedge.images.fit import Normalizer


@pytest.fixture(scope="module")
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student


# What there is


def test_a_student_says_what_it_has(student: sakedge.Student) -> None:
    assert student.input_size == (64, 96)
    assert student.tasks == ("defects", "edge", "sal", "normals", "height")
    assert student.adapters.names == student.adapters.active == ("dino", "sam")
    assert list(student.adapters) == ["dino", "sam"]
    assert "sam" in student.adapters
    assert student.manifest.task_names == student.tasks


def test_explain_tells_what_runs_and_why(tiny_student: Path) -> None:
    with sakedge.load(tiny_student, adapters=["sam"], tasks=["edge"], threads=1) as student:
        told = student.explain()
    assert told.adapters == ("sam",)
    assert told.not_loaded == ("dino",)
    assert told.threads == 1
    assert set(told.digests) == {"stem", "routers.edge", "heads.edge", "adapters.sam"}
    for words in ("fp32 (auto", told.backend, "not loaded", "edge", told.isa):
        assert words in str(told)
    assert told.to_dict()["input_size"] == (64, 96)


def test_outputs_have_the_names_shapes_and_types_of_their_kind(student: sakedge.Student) -> None:
    result = student(picture(64, 96))
    assert result["defects"].labels.dtype == np.uint8
    assert result["defects"].names == ("sound", "scratch", "dent", "stain")
    assert result["edge"].probability.dtype == result["sal"].probability.dtype == np.float32
    assert result["normals"].normals.shape == (64, 96, 3)
    assert result["height"].values.min() >= 0
    assert result["height"].unit == "mm"
    assert all(result[task].logits is None for task in result)
    assert all(result[task].values.shape[:2] == (64, 96) for task in result)


def test_speed_and_routing_come_with_every_result(student: sakedge.Student) -> None:
    result = student(picture(64, 96))
    assert list(result.speed) == ["preprocess", "stem", "decoder", "postprocess"]
    assert result.speed["stem"] > 0
    routing = result.routing["edge"]
    assert routing.experts == ("stem", "dino", "sam")
    assert routing.levels == student.manifest.levels
    np.testing.assert_allclose(np.asarray(routing).sum(axis=1), 1, atol=1e-6)


# Narrowing


def test_a_call_can_be_narrowed(student: sakedge.Student) -> None:
    image = picture(64, 96)
    result = student(image, adapters=["sam"], tasks=["sal", "edge", "sal"])
    assert result.tasks == ("sal", "edge")
    assert result.adapters == ("sam",)
    assert (np.asarray(result.routing["sal"])[:, 1] == 0).all()
    assert not same(result, student(image, tasks=["sal", "edge"]))


def test_one_name_is_as_good_as_a_list(student: sakedge.Student) -> None:
    image = picture(64, 96)
    assert same(student(image, "sam", "edge"), student(image, ["sam"], ["edge"]), 0)


def test_order_and_repetition_of_adapters_do_not_matter(student: sakedge.Student) -> None:
    image = picture(64, 96)
    assert same(student(image, adapters=["sam", "dino", "sam"]), student(image), 0)


def test_without_adapters_the_stem_works_alone(student: sakedge.Student) -> None:
    result = student(picture(64, 96), adapters=[])
    assert result.adapters == ()
    assert (np.asarray(result.routing["edge"]) == [1, 0, 0]).all()


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_narrowing_at_load_is_narrowing_at_the_call(
    backend: str, tiny_student: Path, student: sakedge.Student
) -> None:
    image = picture(64, 96)
    with sakedge.load(tiny_student, ["sam"], ["edge", "height"], backend=backend) as small:
        assert small.tasks == ("edge", "height")
        assert small.adapters.active == ("sam",)
        assert small.adapters.names == ("dino", "sam")
        assert same(small(image), student(image, ["sam"], ["edge", "height"]))


# Batches


def test_a_batch_is_its_images_one_by_one(student: sakedge.Student) -> None:
    images = [picture(64, 96, 1), picture(30, 50, 2), picture(64, 96, 3)]
    for ours, image in zip(student(images), images, strict=True):
        assert same(ours, student(image))


def test_a_batch_may_mix_adapters(student: sakedge.Student) -> None:
    image = picture(64, 96)
    choices: list[list[str] | str | None] = [["sam"], [], None, "dino"]
    for result, choice in zip(student([image] * 4, adapters=choices), choices, strict=True):
        assert same(result, student(image, adapters=choice))


def test_a_batch_larger_than_one_run_of_the_stem_is_split(tiny_student: Path) -> None:
    images = [picture(64, 96, seed) for seed in range(5)]
    with sakedge.load(tiny_student, config={"max_batch": 2}) as student:
        results = student(images, fit="tile")
        assert len(results) == 5
        assert all(same(r, student(i)) for r, i in zip(results, images, strict=True))


def test_a_batch_may_mix_tiled_and_whole_images(student: sakedge.Student) -> None:
    images = [picture(64, 96), picture(100, 130), picture(20, 20), picture(65, 96)]
    for ours, image in zip(student(images, fit="tile"), images, strict=True):
        assert same(ours, student(image, fit="tile"))


def test_an_empty_batch_has_no_results(student: sakedge.Student) -> None:
    assert student([]) == []


def test_choices_that_do_not_fit_the_batch_are_refused(student: sakedge.Student) -> None:
    with pytest.raises(OptionError, match="2 choices, one per image"):
        student([picture(64, 96)] * 2, adapters=[["sam"], [], []])


def test_inputs_made_ready_elsewhere_give_what_images_give(
    tiny_student: Path, student: sakedge.Student
) -> None:
    images = [picture(64, 96, seed) for seed in range(3)]
    normalize = Normalizer(student.manifest.preprocess)
    inputs = np.stack([normalize(image) for image in images])
    with sakedge.load(tiny_student, backend="onnxruntime", config={"max_batch": 2}) as split:
        found = split.infer(inputs)
        raw = split.infer(inputs, logits=True)
    assert found.speed["stem"] > 0
    assert found.speed["decoder"] > 0
    for image, decoded, undecoded in zip(images, found.images, raw.images, strict=True):
        result = student(image, logits=True)
        for task in student.tasks:
            np.testing.assert_array_equal(decoded[task].values, result[task].values)
            np.testing.assert_array_equal(undecoded[task].logits, result[task].logits)
            assert decoded[task].logits is None
            assert undecoded[task].values is None
