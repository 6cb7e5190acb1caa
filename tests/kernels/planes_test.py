"""From planes of logits to values, against float64 and against the same values from a map."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import bounds
from tests.kernels.checks import F32, checks, normal
from tests.kernels.decoded import assert_decoded
from tests.kernels.machines import Kernels

PIXELS = (1, 7, 8, 9, 15, 16, 17, 67)
"""Around the vectors' widths."""

DECODERS = [
    ("labels_u8", 1),
    ("labels_u8", 2),
    ("labels_u8", 21),
    ("labels_u8", 256),
    ("labels_u16", 1),
    ("labels_u16", 700),
    ("probability", 1),
    ("two_class", 2),
    ("normals", 3),
    ("scalar", 1),
]


def kind_of(name: str) -> str:
    return "labels" if name.startswith("labels") else name


def logits(name: str, pixels: int, classes: int, scale: float) -> F32:
    """[classes, pixels]; at every second one, labels may tie."""
    planes = normal(1, classes, pixels, scale=scale)
    if kind_of(name) == "labels":
        planes[:, ::2] = np.rint(planes[:, ::2])
    return planes


@checks(*(f"decode_planes_{name}_f32" for name, _ in DECODERS))
@pytest.mark.parametrize("scale", [1.0, 40.0])
@pytest.mark.parametrize("pixels", PIXELS)
@pytest.mark.parametrize(("name", "classes"), DECODERS)
def test_values_of_planes(
    kernels: Kernels, name: str, classes: int, pixels: int, scale: float
) -> None:
    planes = logits(name, pixels, classes, scale)
    got = kernels(f"decode_planes_{name}_f32", planes)
    assert_decoded(kind_of(name), got, planes.T.astype(np.float64))
    if kind_of(name) == "labels":
        np.testing.assert_array_equal(got, planes.argmax(0))


@pytest.mark.parametrize("pixels", PIXELS)
@pytest.mark.parametrize(("name", "classes"), DECODERS)
def test_planes_and_a_map_of_the_same_logits_give_the_same_bits(
    kernels: Kernels, name: str, classes: int, pixels: int
) -> None:
    planes = logits(name, pixels, classes, scale=3.0)
    cells = np.arange(pixels)
    rows = np.array([[0, 0, 1, 0]])
    columns = np.stack([cells, cells, np.ones(pixels), np.zeros(pixels)], -1)
    from_map = kernels(f"decode_{name}_f32", planes.T[None], rows, columns)
    from_planes = kernels(f"decode_planes_{name}_f32", planes)
    np.testing.assert_array_equal(from_planes, from_map[0])


@pytest.mark.parametrize("name", ["probability", "two_class"])
def test_a_pixel_far_from_the_decision_is_certain(kernels: Kernels, name: str) -> None:
    far = np.array([[-200, -89, 0, 89, 200] * 4], np.float32)
    planes = far if name == "probability" else np.concatenate([-far / 2, far / 2])
    got = kernels(f"decode_planes_{name}_f32", planes)
    np.testing.assert_allclose(got, [0, 0, 0.5, 1, 1] * 4, rtol=4 * bounds.U, atol=2e-38)


def test_a_normal_of_planes_without_length_stays_zero(kernels: Kernels) -> None:
    got = kernels("decode_planes_normals_f32", np.zeros((3, 19)))
    np.testing.assert_array_equal(got, np.zeros((19, 3)))
