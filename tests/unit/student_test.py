"""A student from load to result: what is asked for is what is done."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sakedge
from sakedge.errors import (
    ClosedError,
    DigestError,
    ImageError,
    OptionError,
    SourceError,
    StorageError,
    UnknownAdapterError,
    UnknownBackendError,
    UnknownTaskError,
)
from sakedge.preprocess import Normalizer
from sakedge.tasks import KINDS
from sakedge.tiling import Grid

FLOAT32_NOISE = 1e-4
"""Of values of order 1: the same sums in another order or grouping."""


@pytest.fixture(scope="module")
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width].copy()


def same(ours: sakedge.Result, theirs: sakedge.Result, tolerance: float = FLOAT32_NOISE) -> bool:
    """Whether two results agree: floats within the tolerance, labels but for near ties."""
    assert list(ours) == list(theirs)
    for task in ours:
        a, b = ours[task].values, theirs[task].values
        if ours[task].info.kind == "labels":
            agree = np.mean(a == b) >= (1 if tolerance == 0 else 0.999)
        else:
            agree = np.allclose(a, b, atol=tolerance, rtol=0)
        if a.shape != b.shape or not agree:
            return False
    return True


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


# Images and fits


def test_files_arrays_and_pil_images_are_the_same_picture(
    student: sakedge.Student, tmp_path: Path
) -> None:
    array = picture(64, 96)
    image = Image.fromarray(array)
    image.save(tmp_path / "part.png")
    results = student([tmp_path / "part.png", array, image, str(tmp_path / "part.png")])
    assert all(same(result, results[1]) for result in results)
    assert results[0].source == str(tmp_path / "part.png")
    assert same(student(array[..., ::-1].copy(), color="bgr"), student(array), 0)
    np.testing.assert_array_equal(results[0].image, array)


def test_depth_of_grey_and_of_16_bits_does_not_change_the_picture(student: sakedge.Student) -> None:
    grey = picture(64, 96)[..., 0]
    results = [
        student(image)
        for image in (grey, grey.astype(np.uint16) * 257, grey / 255.0, grey[..., None])
    ]
    assert all(same(result, results[0]) for result in results)


@pytest.mark.parametrize("size", [(64, 96), (63, 95), (20, 96), (1, 1)])
def test_padded_results_are_the_logits_inside_the_border(
    size: tuple[int, int], student: sakedge.Student
) -> None:
    result = student(picture(*size), fit="pad", logits=True)
    top, left = (64 - size[0]) // 2, (96 - size[1]) // 2
    for output in result.values():
        assert output.logits is not None
        assert output.logits.shape == (output.info.classes, 64, 96)
        inside = output.logits[:, top : top + size[0], left : left + size[1]]
        decoded = KINDS[output.info.kind].decode(inside)
        np.testing.assert_allclose(output.values, decoded, atol=1e-6)


def test_a_letterbox_that_only_pads_is_padding(student: sakedge.Student) -> None:
    image = picture(40, 96)
    assert same(student(image, fit="letterbox"), student(image, fit="pad"), 0)


@pytest.mark.parametrize("size", [(640, 960), (32, 48), (100, 900)])
def test_letterbox_results_are_in_the_images_own_coordinates(
    size: tuple[int, int], student: sakedge.Student
) -> None:
    """Where the picture is resized k-fold, the k-th pixels see what the small picture saw."""
    from sakedge.preprocess import resize

    image = picture(*size)
    scale = min(64 / size[0], 96 / size[1])
    inner = (round(size[0] * scale), round(size[1] * scale))
    small = student(resize(image, inner), fit="pad")
    large = student(image, fit="letterbox")
    ys = ((np.arange(inner[0]) + 0.5) * size[0] / inner[0]).astype(int)
    xs = ((np.arange(inner[1]) + 0.5) * size[1] / inner[1]).astype(int)
    for task in ("edge", "height"):
        assert large[task].values.shape == size
        sampled = large[task].values[np.ix_(ys, xs)]
        # The centres differ by half a pixel of the image at most; the maps are smooth over that.
        step = np.abs(np.diff(small[task].values, axis=1)).max()
        step += np.abs(np.diff(small[task].values, axis=0)).max()
        slack = step * max(0.5 * scale, 0.5 if scale > 1 else 0) + 1e-4
        assert np.abs(sampled - small[task].values).max() <= slack


def test_padding_refuses_a_larger_image_and_says_what_to_do(student: sakedge.Student) -> None:
    with pytest.raises(ImageError, match=r"65 x 96.*letterbox.*tile"):
        student(picture(65, 96))


@pytest.mark.parametrize("size", [(64, 97), (150, 200), (30, 250), (200, 20)])
def test_tiles_are_blended_before_they_are_decoded(
    size: tuple[int, int], student: sakedge.Student
) -> None:
    """Against every tile run as an image of its own, summed in float64."""
    image = picture(*size)
    grid = Grid.over(size, student.input_size)
    rows, columns = grid.rows.weights(), grid.columns.weights()
    blended = {t.name: np.zeros((t.classes, *size)) for t in student.manifest.tasks}
    for row in range(len(grid.rows.starts)):
        for tile in grid.row(row):
            place = tile.inside(grid)
            part = student(image[place].copy(), fit="pad", logits=True)
            top, left = ((a - b) // 2 for a, b in zip((64, 96), grid.tile, strict=True))
            weight = np.outer(rows[tile.row], columns[tile.column]).astype(np.float64)
            for task, output in part.items():
                inside = output.logits[:, top : top + grid.tile[0], left : left + grid.tile[1]]
                blended[task][(slice(None), *place)] += inside * weight
    result = student(image, fit="tile")
    for task, output in result.items():
        expected = KINDS[output.info.kind].decode(blended[task].astype(np.float32))
        if output.info.kind == "labels":
            assert np.mean(output.values == expected) > 0.999
        else:
            np.testing.assert_allclose(output.values, expected, atol=FLOAT32_NOISE)
    routing = np.asarray(result.routing["edge"])
    np.testing.assert_allclose(routing.sum(axis=1), 1, atol=1e-6)


def test_a_tiled_image_has_no_logits(student: sakedge.Student) -> None:
    with pytest.raises(OptionError, match="no logits of a tiled image"):
        student(picture(100, 100), fit="tile", logits=True)
    assert student(picture(64, 96), fit="tile", logits=True)["edge"].logits is not None


# What is refused


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"adapters": ["sma"]}, UnknownAdapterError, "one of dino, sam"),
        ({"tasks": ["depth"]}, UnknownTaskError, "defects, edge, sal, normals, height"),
        ({"tasks": []}, OptionError, "no task"),
        ({"backend": "tensorrt"}, UnknownBackendError, "openvino, onnxruntime"),
        ({"precision": "int4"}, OptionError, "auto, fp32, bf16, fp16, int8"),
        ({"threads": 0}, OptionError, "threads"),
        ({"config": {"min_wieght": 0.1}}, OptionError, "min_weight"),
    ],
)
def test_load_tells_what_there_is(
    arguments: dict[str, object], error: type[Exception], words: str, tiny_student: Path
) -> None:
    with pytest.raises(error, match=words):
        sakedge.load(tiny_student, **arguments)  # type: ignore[arg-type]


def test_what_is_no_student_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        sakedge.load(tmp_path / "gone.onnx")
    with pytest.raises(StorageError):
        sakedge.load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"adapters": ["clip"]}, UnknownAdapterError, "one of dino, sam"),
        ({"tasks": "depth"}, UnknownTaskError, "height"),
        ({"tasks": []}, OptionError, "no task"),
        ({"fit": "stretch"}, OptionError, "pad, letterbox, tile"),
        ({"color": "hsv"}, OptionError, "rgb or bgr"),
        ({"adapters": 3}, OptionError, "by name"),
    ],
)
def test_a_call_tells_what_there_is(
    arguments: dict[str, object],
    error: type[Exception],
    words: str,
    student: sakedge.Student,
) -> None:
    with pytest.raises(error, match=words):
        student(picture(64, 96), **arguments)  # type: ignore[call-overload]


@pytest.mark.parametrize("image", [3, None, np.zeros((2, 64, 96, 3), np.uint8), b"bytes"])
def test_what_is_no_image_is_refused(image: object, student: sakedge.Student) -> None:
    with pytest.raises(ImageError):
        student(image)  # type: ignore[call-overload]


def test_an_adapter_that_was_not_loaded_is_told_apart(tiny_student: Path) -> None:
    with (
        sakedge.load(tiny_student, adapters=["sam"]) as student,
        pytest.raises(UnknownAdapterError, match="expected sam"),
    ):
        student(picture(64, 96), adapters=["dino"])


# Its life


def test_a_closed_student_says_so(tiny_student: Path) -> None:
    with sakedge.load(tiny_student) as student:
        pass
    for use in (
        lambda: student(picture(64, 96)),
        lambda: student.adapters.active,
        lambda: student.stream(["a.png"]),
        student.explain,
    ):
        with pytest.raises(ClosedError, match="closed"):
            use()


def test_a_pickled_student_is_loaded_again(
    tiny_student: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tiny_student.parent)
    with sakedge.load(tiny_student.name, adapters=["sam"], tasks=["edge"], threads=1) as student:
        frozen = pickle.dumps(student)
        expected = student(picture(64, 96))
    monkeypatch.chdir(tmp_path)
    with pickle.loads(frozen) as again:
        assert again.adapters.active == ("sam",)
        assert again.explain().threads == 1
        assert same(again(picture(64, 96)), expected)


def test_a_pickled_student_refuses_another_file(tiny_checkpoint: object, tmp_path: Path) -> None:
    from tests.support.checkpoint import make_checkpoint

    from sakedge.convert import convert

    sizes = {"width": 48, "blocks": 4, "attention_heads": 3, "tasks": ["edge"]}
    path = tmp_path / "student.onnx"
    convert(*make_checkpoint(tmp_path / "one", seed=1, **sizes), path)  # type: ignore[arg-type]
    with sakedge.load(path) as student:
        frozen = pickle.dumps(student)
    convert(*make_checkpoint(tmp_path / "two", seed=2, **sizes), path)  # type: ignore[arg-type]
    with pytest.raises(DigestError, match="not the file"):
        pickle.loads(frozen)


# Streams


def test_a_stream_runs_over_a_folder_past_what_is_bad(
    student: sakedge.Student, tmp_path: Path
) -> None:
    for i in range(4):
        Image.fromarray(picture(64, 96, i)).save(tmp_path / f"{i}.png")
    Image.fromarray(picture(200, 200)).save(tmp_path / "1.png")  # will not fit
    (tmp_path / "3.png").write_bytes(b"broken")
    stream = student.stream(tmp_path, batch=3, fit="pad", tasks=["edge"])
    results = list(stream)
    assert [Path(str(r.source)).name for r in results] == ["0.png", "2.png"]
    assert stream.error_count == 2
    assert {Path(error.source).name for error in stream.errors} == {"1.png", "3.png"}
    assert same(results[1], student(picture(64, 96, 2), tasks=["edge"]))


def test_a_stream_checks_its_arguments_before_the_first_frame(
    student: sakedge.Student, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UnknownTaskError):
        student.stream(tmp_path, tasks=["nothing"])
    with pytest.raises(SourceError):
        student.stream(tmp_path / "gone")
