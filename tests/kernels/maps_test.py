"""From a head's taps to its map, and from samples of a map to values, against float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.kernels import bounds, lerps, reference
from tests.kernels.checks import F32, F64, assert_within, checks, normal, wide
from tests.kernels.decoded import assert_decoded
from tests.kernels.machines import Kernels

from sakedge.images.window import Window


@checks("head_expand_f32")
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(
    ("grid", "ratio", "channels", "classes"),
    [
        ((1, 1), 4, 1, 1),
        ((1, 2), 4, 3, 2),
        ((2, 3), 1, 7, 3),
        ((3, 2), 2, 16, 1),
        ((4, 5), 4, 17, 9),
        ((3, 3), 8, 33, 21),
        ((5, 7), 4, 64, 40),
    ],
)
def test_head_expand_is_the_convolution_after_the_upsampling(
    kernels: Kernels,
    grid: tuple[int, int],
    ratio: int,
    channels: int,
    classes: int,
    accumulate: bool,
) -> None:
    inputs = 5
    z = normal(1, *grid, inputs)
    weight = normal(2, channels, inputs, 3, 3, scale=0.2)
    bias, last, last_bias = normal(3, channels), normal(4, channels, classes), normal(5, classes)
    size = (grid[0] * ratio, grid[1] * ratio)
    before = normal(6, *size, classes) if accumulate else None
    zd, wd, bd, lastd, lbd = wide(z, weight, bias, last, last_bias)
    maps = np.stack(
        [zd @ wd[:, :, dy, dx].T for dy, dx in itertools.product(range(3), repeat=2)]
    ).astype(np.float32)
    axes = lerps.expansion(grid[0], size[0]), lerps.expansion(grid[1], size[1])
    got = kernels("head_expand_f32", maps, *axes, bias, last.T, last_bias, before)

    fused = reference.convolve3x3(reference.resize(zd, *size), wd, bd)
    # 12 products of taps with two rounded weights each, on taps that are rounded themselves.
    magnitude = 9 * np.abs(maps).max() + np.abs(bd)
    hidden_error = np.broadcast_to(bounds.SLACK * 19 * bounds.U * magnitude, fused.shape)
    active = reference.gelu(fused)
    active_error = bounds.gelu(fused, hidden_error)
    added = [lbd] if before is None else [lbd, before.astype(np.float64)]
    want = active @ lastd + sum(added)
    assert_within(got, want, bounds.linear(active, lastd, *added, x_error=active_error))


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("channels", [5, 32])
def test_head_expand_of_any_number_of_classes(
    kernels: Kernels, channels: int, with_bias: bool
) -> None:
    maps, bias = normal(1, 9, 2, 3, channels), normal(2, channels)
    axes = lerps.expansion(2, 4), lerps.expansion(3, 6)
    last, last_bias = normal(3, 40, channels), normal(4, 40) if with_bias else None
    whole = kernels("head_expand_f32", maps, *axes, bias, last, last_bias, None)
    # The sums of one class may be ordered differently when there are others.
    size = np.abs(maps).max() * 9 + np.abs(bias).max() + 1
    bound = 2 * bounds.SLACK * (channels + 3) * bounds.U * size * np.abs(last).sum(-1) + 1e-6
    for classes in range(1, 41):
        some = None if last_bias is None else last_bias[:classes]
        got = kernels("head_expand_f32", maps, *axes, bias, last[:classes], some, None)
        assert_within(got, whole[..., :classes].astype(np.float64), bound[:classes])


WINDOWS = {
    "the network's own size": Window(20, 28),
    "one pixel": Window(1, 1, 9.5, 3.5),
    "a letterbox undone": Window(33, 41, 2.0, 0.0, 16 / 33, 28 / 41),
    "beyond every edge": Window(30, 40, -5.0, -6.0),
    "shrunk": Window(7, 5, 0.0, 0.0, 20 / 7, 28 / 5),
}
EXTENT = (20, 28)


@pytest.fixture(params=list(WINDOWS))
def window(request: pytest.FixtureRequest) -> Window:
    return WINDOWS[request.param]


@checks("upsample_f32")
@pytest.mark.parametrize("classes", [1, 3, 17])
def test_upsample(kernels: Kernels, window: Window, classes: int) -> None:
    plane = normal(1, 5, 7, classes)
    want = reference.windowed(plane.astype(np.float64), EXTENT, window).transpose(2, 0, 1)
    got = kernels("upsample_f32", plane, *lerps.window(window, plane.shape, EXTENT))
    assert_within(got, want, bounds.sample(plane.astype(np.float64)))


@checks("blend_f32")
@pytest.mark.parametrize("classes", [1, 3, 17])
def test_blend_adds_weighted_samples(kernels: Kernels, window: Window, classes: int) -> None:
    plane, before = normal(1, 5, 7, classes), normal(2, classes, window.height, window.width)
    row_weights, column_weights = normal(3, window.height), normal(4, window.width)
    axes = lerps.window(window, plane.shape, EXTENT)
    got = kernels("blend_f32", plane, *axes, row_weights, column_weights, before)

    before64, rows64, columns64 = wide(before, row_weights, column_weights)
    weights = rows64[:, None] * columns64
    want = before64 + weights * lerps.sampled(plane, *axes).transpose(2, 0, 1)
    absolute = np.abs(weights) * lerps.sampled(np.abs(plane), *axes).transpose(2, 0, 1)
    assert_within(got, want, 8 * bounds.U * (np.abs(before64) + absolute))


def sampled(window: Window, *shape: int, scale: float = 1.0) -> tuple[F32, F64, float]:
    """A map, its samples on a window, and how far those of a kernel may be from them."""
    plane = normal(1, *shape, scale=scale)
    exact = plane.astype(np.float64)
    return plane, reference.windowed(exact, EXTENT, window), bounds.sample(exact)


@checks("decode_labels_u8_f32", "decode_labels_u16_f32")
@pytest.mark.parametrize("classes", [1, 2, 21, 256])
def test_labels(kernels: Kernels, window: Window, classes: int) -> None:
    plane, samples, error = sampled(window, 5, 7, classes)
    for name in ("decode_labels_u8_f32", "decode_labels_u16_f32"):
        got = kernels(name, plane, *lerps.window(window, plane.shape, EXTENT))
        assert_decoded("labels", got, samples, error)


def test_the_first_of_equal_labels_wins(kernels: Kernels) -> None:
    plane = np.zeros((3, 3, 9), np.float32)
    plane[..., [4, 7]] = 1
    assert (
        kernels("decode_labels_u8_f32", plane, *lerps.window(Window(12, 12), plane.shape, (12, 12)))
        == 4
    ).all()


@checks("decode_labels_u16_f32")
def test_labels_above_255(kernels: Kernels) -> None:
    plane = np.zeros((2, 2, 700), np.float32)
    plane[..., 699] = 1
    assert (
        kernels("decode_labels_u16_f32", plane, *lerps.window(Window(8, 8), plane.shape, (8, 8)))
        == 699
    ).all()


@checks("decode_probability_f32", "decode_two_class_f32")
@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_probabilities(kernels: Kernels, window: Window, scale: float) -> None:
    for kind, classes in (("probability", 1), ("two_class", 2)):
        plane, samples, error = sampled(window, 5, 7, classes, scale=scale)
        got = kernels(f"decode_{kind}_f32", plane, *lerps.window(window, plane.shape, EXTENT))
        assert_decoded(kind, got, samples, error)


@checks("decode_normals_f32")
def test_normals(kernels: Kernels, window: Window) -> None:
    plane, samples, error = sampled(window, 5, 7, 3)
    got = kernels("decode_normals_f32", plane, *lerps.window(window, plane.shape, EXTENT))
    assert_decoded("normals", got, samples, error)
    np.testing.assert_allclose(np.linalg.norm(got, axis=-1), 1, atol=8 * bounds.U)


def test_a_normal_of_no_length_stays_zero(kernels: Kernels) -> None:
    plane = np.zeros((2, 2, 3), np.float32)
    got = kernels("decode_normals_f32", plane, *lerps.window(Window(8, 8), plane.shape, (8, 8)))
    np.testing.assert_array_equal(got, np.zeros((8, 8, 3)))


@checks("decode_scalar_f32")
def test_scalar(kernels: Kernels, window: Window) -> None:
    plane, samples, error = sampled(window, 5, 7, 1)
    got = kernels("decode_scalar_f32", plane, *lerps.window(window, plane.shape, EXTENT))
    assert_decoded("scalar", got, samples, error)
    assert (got >= 0).all()
