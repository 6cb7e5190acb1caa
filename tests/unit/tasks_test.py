"""Each kind of output: decoding against float64, its names, its numbers, its drawing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sakedge.decoder import decode_map, thread_pool
from sakedge.drawing.colors import heat, palette, perceptual
from sakedge.images.window import Window
from sakedge.tasks import KINDS, TaskInfo, result_class
from sakedge.tasks.base import TaskResult

RNG = np.random.default_rng(0)
POOL = thread_pool(1)


def decode(kind: str, logits: np.ndarray) -> np.ndarray:
    """What the decoder makes of logits [classes, h, w], each pixel by itself."""
    classes, height, width = logits.shape
    task = TaskInfo(name="task", kind=kind, classes=classes)
    map_ = np.ascontiguousarray(np.moveaxis(logits, 0, -1))
    return decode_map(POOL, task, map_, (height, width), Window(height, width))


def test_there_is_a_file_for_every_kind_of_the_format() -> None:
    assert all(issubclass(result_class(kind), TaskResult) for kind in KINDS)


def test_labels_are_the_arg_max_and_the_first_of_equals() -> None:
    logits = np.zeros((3, 1, 2), np.float32)
    logits[2, 0, 1] = 1
    labels = decode("labels", logits)
    assert labels.tolist() == [[0, 2]]
    assert labels.dtype == np.uint8


def test_more_than_256_classes_need_16_bits() -> None:
    logits = np.zeros((300, 1, 1), np.float32)
    logits[299] = 1
    assert decode("labels", logits).tolist() == [[299]]


@pytest.mark.parametrize("kind", ["probability", "two_class"])
def test_probabilities_agree_with_float64_and_never_overflow(kind: str) -> None:
    logits = RNG.normal(0, 30, (2, 20, 20)).astype(np.float32)
    logits[:, 0, 0] = 200, -200
    logits[:, 0, 1] = -200, 200
    x = logits.astype(np.float64)
    if kind == "probability":
        logits, exact = logits[:1], 1 / (1 + np.exp(-x[0]))
    else:
        exact = np.exp(x[1]) / np.exp(x).sum(axis=0)
    # The argument's rounding moves the sigmoid by at most a quarter of it; the rest is 3 roundings.
    np.testing.assert_allclose(decode(kind, logits), exact, atol=2**-20, rtol=0)


def test_normals_are_unit_vectors_also_where_the_logits_vanish() -> None:
    logits = RNG.normal(0, 1, (3, 8, 9)).astype(np.float32)
    logits[:, 0, 0] = 0
    normals = decode("normals", logits)
    assert normals.shape == (8, 9, 3)
    assert normals[0, 0].tolist() == [0, 0, 0]
    lengths = np.linalg.norm(normals.astype(np.float64), axis=-1).ravel()[1:]
    np.testing.assert_allclose(lengths, 1, atol=4 * 2**-24)


def test_scalars_are_not_negative() -> None:
    assert decode("scalar", np.array([[[-1.0, 2.0]]], np.float32)).tolist() == [[0, 2]]


def _outputs() -> list[tuple[TaskInfo, np.ndarray]]:
    labels = np.zeros((6, 8), np.uint8)
    labels[:3] = 2
    unit = np.zeros((6, 8, 3), np.float32)
    unit[..., 2] = 1
    ramp = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)
    return [
        (
            TaskInfo(name="semseg", kind="labels", classes=3, labels=("sound", "dent", "hole")),
            labels,
        ),
        (TaskInfo(name="edge", kind="probability", classes=1), ramp),
        (TaskInfo(name="sal", kind="two_class", classes=2), ramp),
        (TaskInfo(name="normals", kind="normals", classes=3), unit),
        (TaskInfo(name="depth", kind="scalar", classes=1, unit="mm"), 3 * ramp),
    ]


@pytest.mark.parametrize(("info", "values"), _outputs(), ids=lambda x: getattr(x, "name", ""))
def test_every_kind_draws_over_its_image_and_sums_itself_up(
    info: TaskInfo, values: np.ndarray
) -> None:
    output = result_class(info.kind)(info, values)
    drawn = output.draw(np.full((6, 8, 3), 100, np.uint8))
    assert drawn.shape == (6, 8, 3)
    assert drawn.dtype == np.uint8
    legend = output.legend()
    assert legend.entries or legend.ramp is not None
    json.dumps(output.summary(), allow_nan=False)


def test_summaries_say_what_was_found() -> None:
    labels, edge, _, normals, depth = (result_class(i.kind)(i, v) for i, v in _outputs())
    assert labels.summary()["classes"] == {
        "sound": {"pixels": 24, "percent": 50.0},
        "hole": {"pixels": 24, "percent": 50.0},
    }
    assert edge.summary() == {"mean": 0.5, "max": 1.0, "percent_above_half": 50.0}
    assert normals.summary() == {"mean": [0.0, 0.0, 1.0], "spread_degrees": 0.0}
    assert depth.summary() == {"min": 0.0, "mean": 1.5, "max": 3.0, "unit": "mm"}


@pytest.mark.parametrize("colors", [heat, perceptual])
def test_value_maps_rise_evenly_in_lightness(colors: object) -> None:
    """Rec. 709 luma stands in for lightness: it must rise at every step."""
    table = colors(np.linspace(0, 1, 64)).astype(float)  # type: ignore[operator]
    luma = table @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luma) > 0).all()


def test_classes_have_colours_that_differ() -> None:
    assert len({tuple(c) for c in palette(40).tolist()}) == 40
