"""Every kernel on every instruction set of this machine, against float64, over awkward sizes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels import bounds, reference, rounded

from sakedge import _core
from sakedge.decoder import Window

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SIZES = (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 48, 64, 65, 97)
TRIPLES = [
    (m, SIZES[(3 * i + 5) % len(SIZES)], SIZES[(5 * i + 2) % len(SIZES)])
    for i, m in enumerate(SIZES)
]
EPS = 1e-5

_checked: set[str] = set()
Test = TypeVar("Test", bound=Callable[..., None])


def checks(*kernels: str) -> Callable[[Test], Test]:
    """Marks a test as the one of these kernels."""
    _checked.update(kernels)
    return lambda test: test


@pytest.fixture(params=[name for name, _, _ in _core.isas()])
def kernels(request: pytest.FixtureRequest) -> _core.Kernels:
    missing = {name: reason for name, supported, reason in _core.isas() if not supported}
    if request.param in missing:
        pytest.skip(f"needs {missing[request.param]}")
    return _core.Kernels(request.param)


def normal(seed: int, *shape: int, scale: float = 1.0) -> F32:
    values = np.random.default_rng(seed).standard_normal(shape) * scale
    return values.astype(np.float32)


def wide(*arrays: F32) -> list[F64]:
    return [a.astype(np.float64) for a in arrays]


def assert_within(got: NDArray[Any], want: F64, bound: F64 | float) -> None:
    assert got.shape == want.shape
    excess = np.abs(got - want) - bound
    assert (excess <= 0).all(), f"{excess.max():.3g} beyond the bound"


def test_every_kernel_has_a_test() -> None:
    assert set(_core.Kernels.names()) == _checked


ARITHMETICS = ("f32", "bf16", "s8")


def all_of(*names: str) -> tuple[str, ...]:
    """The matrix kernels of these names, in every arithmetic."""
    return tuple(f"{name}_{arithmetic}" for name in names for arithmetic in ARITHMETICS)


def linear(kernels: _core.Kernels, arithmetic: str) -> Callable[..., F32]:
    return getattr(kernels, f"linear_{arithmetic}")


@checks(*all_of("linear", "pack", "packed_size", "prepare", "row_size"))
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "n", "k"), [*TRIPLES, (1025, 5, 17), (33, 40, 3072)])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("accumulate", [True, False])
def test_linear(
    kernels: _core.Kernels,
    arithmetic: str,
    m: int,
    n: int,
    k: int,
    with_bias: bool,
    accumulate: bool,
) -> None:
    x, w = normal(1, m, k), normal(2, k, n)
    b = normal(3, n) if with_bias else None
    y = normal(4, m, n) if accumulate else None
    got = linear(kernels, arithmetic)(x, w, b, y)
    added = [a.astype(np.float64) for a in (b, y) if a is not None]
    xd, wd = rounded.rows(x, arithmetic), rounded.columns(w, arithmetic)
    # An exact sum of int8 is rounded once, then twice more by its scales.
    scaled = 3 * bounds.U * (np.abs(xd) @ np.abs(wd)) if arithmetic == "s8" else 0.0
    assert_within(got, xd @ wd + sum(added), bounds.linear(xd, wd, *added) + scaled)
    size = getattr(kernels, f"packed_size_{arithmetic}")(k, n)
    assert size == len(getattr(kernels, f"pack_{arithmetic}")(w)) >= k * n
    assert size % 64 == 0
    row = getattr(kernels, f"row_size_{arithmetic}")(k)
    assert m * row == len(getattr(kernels, f"prepare_{arithmetic}")(x))
    assert row % 64 == 0


@pytest.mark.parametrize(("m", "n", "k"), TRIPLES)
def test_int8_gives_the_same_bits_on_every_instruction_set(
    kernels: _core.Kernels, m: int, n: int, k: int
) -> None:
    x, w, b, y = normal(1, m, k), normal(2, k, n), normal(3, n), normal(4, m, n)
    x[0] = np.arange(k) - k // 2  # ties where 127 / max is a power of two, and a zero
    w[:, 0] = 0
    x[-1] *= np.float32(2.0**-110)
    want = _core.Kernels("generic").linear_s8(x, w, b, y)
    np.testing.assert_array_equal(kernels.linear_s8(x, w, b, y), want)


@pytest.mark.parametrize("k", [4, 6, 127, 768])
def test_int8_does_not_saturate(kernels: _core.Kernels, k: int) -> None:
    x, w = np.full((3, k), 2.0, np.float32), np.full((k, 33), 4.0, np.float32)
    for sign in (1, -1):
        got = kernels.linear_s8(sign * x, w, None, None)
        np.testing.assert_allclose(got, sign * 8.0 * k, rtol=4 * bounds.U)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_int8_range_is_each_rows_own(kernels: _core.Kernels, arithmetic: str) -> None:
    x, w = normal(1, 6, 40), normal(2, 40, 24)
    scales = np.float32(2.0) ** np.array([[-90], [-20], [0], [20], [50], [1]], np.float32)
    got = linear(kernels, arithmetic)(x * scales, w, None, None)
    # Powers of two commute with every rounding but that of 127 / max.
    plain = linear(kernels, arithmetic)(x, w, None, None)
    np.testing.assert_allclose(got / scales, plain, rtol=1e-2, atol=2e-2)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("m", [2, 13, 14, 15, 29])
def test_a_row_does_not_depend_on_the_rows_beside_it(
    kernels: _core.Kernels, arithmetic: str, m: int
) -> None:
    x, w, b = normal(1, m, 50), normal(2, 50, 37), normal(3, 37)
    run = linear(kernels, arithmetic)
    alone = np.concatenate([run(x[i : i + 1], w, b, None) for i in range(m)])
    np.testing.assert_array_equal(run(x, w, b, None), alone)


@pytest.mark.parametrize("offset", range(4))
def test_linear_at_any_alignment(kernels: _core.Kernels, offset: int) -> None:
    x = normal(1, 5 * 19 + offset)[offset:].reshape(5, 19)
    w = normal(2, 19 * 21 + offset)[offset:].reshape(19, 21)
    np.testing.assert_array_equal(
        kernels.linear_f32(x, w, None, None), kernels.linear_f32(x.copy(), w.copy(), None, None)
    )


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_no_rows_are_no_work(kernels: _core.Kernels, arithmetic: str) -> None:
    assert linear(kernels, arithmetic)(normal(1, 0, 7), normal(2, 7, 3), None, None).shape == (0, 3)


@checks(*all_of("peak"))
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_peak_counts_its_multiplications(kernels: _core.Kernels, arithmetic: str) -> None:
    peak = getattr(kernels, f"peak_{arithmetic}")
    assert peak(20) == 2 * peak(10) > 0


@checks("gelu_f32")
def test_gelu(kernels: _core.Kernels) -> None:
    x = np.concatenate(
        [np.linspace(-12, 12, 48001), [0.0, -0.0, 1e-30, -1e-30, 5.6, -5.6, 1e4, -1e4]]
    ).astype(np.float32)
    want = reference.gelu(x.astype(np.float64))
    assert_within(kernels.gelu_f32(x), want, bounds.gelu(want * 0 + x))


def test_gelu_of_the_largest_negatives_is_nearly_zero(kernels: _core.Kernels) -> None:
    x = np.float32(2.0) ** np.arange(2.6, 127.0, 0.1, dtype=np.float32)
    assert np.abs(kernels.gelu_f32(-x)).max() <= 28 * bounds.U


def test_gelu_over_every_exponent(kernels: _core.Kernels) -> None:
    mantissas = np.random.default_rng(0).integers(0, 1 << 23, (255, 200), dtype=np.uint32)
    bits = mantissas | (np.arange(255, dtype=np.uint32)[:, None] << 23)
    for sign in (1, -1):
        x = sign * bits.ravel().view(np.float32)
        want = reference.gelu(x.astype(np.float64))
        # Subnormal results are rounded to the next multiple of 2^-149.
        assert_within(kernels.gelu_f32(x), want, bounds.gelu(x.astype(np.float64)) + 2.0**-149)


@checks("adapter_f32")
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_adapter(kernels: _core.Kernels, m: int, c: int, h: int) -> None:
    x, r = normal(1, m, c), normal(2, m, c)
    down, up = normal(3, c, h, scale=c**-0.5), normal(4, h, c, scale=h**-0.5)
    b, d = normal(5, h), normal(6, c)
    got = kernels.adapter_f32(x, r, (down, b), (up, d))
    xd, rd, downd, upd, bd, dd = wide(x, r, down, up, b, d)
    z = xd + rd
    hidden = z @ downd + bd
    hidden_error = bounds.linear(z, downd, bd, x_error=bounds.U * np.abs(z))
    active = reference.gelu(hidden)
    active_error = bounds.gelu(hidden, hidden_error)
    bound = bounds.linear(active, upd, dd, z, x_error=active_error) + bounds.U * np.abs(z)
    assert_within(got, reference.adapter(z, downd, bd, upd, dd), bound)


@checks("adapter_bf16", "adapter_s8")
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_an_adapter_is_two_products_and_a_gelu(
    kernels: _core.Kernels, arithmetic: str, m: int, c: int, h: int
) -> None:
    x, r = normal(1, m, c), normal(2, m, c)
    down, up = normal(3, c, h, scale=c**-0.5), normal(4, h, c, scale=h**-0.5)
    b, d = normal(5, h), normal(6, c)
    product = linear(kernels, arithmetic)
    hidden = kernels.gelu_f32(product(x + r, down, b, None).ravel()).reshape(m, h)
    got = getattr(kernels, f"adapter_{arithmetic}")(x, r, (down, b), (up, d))
    np.testing.assert_array_equal(got, product(hidden, up, d, x + r))


@checks("router_bf16", "router_s8")
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_a_router_is_a_product_a_norm_and_a_gelu_summed_row_by_row(
    kernels: _core.Kernels, arithmetic: str, m: int, c: int, h: int
) -> None:
    x, w = normal(1, m, c), normal(2, c, h, scale=c**-0.5)
    b, gamma, beta = normal(3, h), normal(4, h), normal(5, h)
    normed = kernels.layer_norm_f32(linear(kernels, arithmetic)(x, w, b, None), (gamma, beta), EPS)
    active = kernels.gelu_f32(normed.ravel()).reshape(m, h)
    want = np.zeros(h, np.float32)
    for row in active:
        want += row
    got = getattr(kernels, f"router_{arithmetic}")(x, (w, b), (gamma, beta), EPS)
    np.testing.assert_array_equal(got, want)


@checks("layer_norm_f32")
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize("c", SIZES)
def test_layer_norm(kernels: _core.Kernels, c: int, offset: float) -> None:
    x, gamma, beta = normal(1, 5, c) + np.float32(offset), normal(2, c), normal(3, c)
    got = kernels.layer_norm_f32(x, (gamma, beta), EPS)
    xd, gd, bd = wide(x, gamma, beta)
    want = reference.layer_norm(xd, gd, bd, EPS)
    assert_within(got, want, bounds.layer_norm(xd, gd, bd, EPS))


def test_layer_norm_of_a_constant_is_its_bias(kernels: _core.Kernels) -> None:
    beta = normal(1, 24)
    got = kernels.layer_norm_f32(np.full((3, 24), 2.5, np.float32), (beta, beta), EPS)
    np.testing.assert_array_equal(got, np.tile(beta, (3, 1)))


@checks("router_f32")
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_router(kernels: _core.Kernels, m: int, c: int, h: int) -> None:
    x, w = normal(1, m, c), normal(2, c, h, scale=c**-0.5)
    b, gamma, beta = normal(3, h), normal(4, h), normal(5, h)
    got = kernels.router_f32(x, (w, b), (gamma, beta), EPS)
    xd, wd, bd, gd, betad = wide(x, w, b, gamma, beta)
    hidden = xd @ wd + bd
    normed = reference.layer_norm(hidden, gd, betad, EPS)
    error = bounds.layer_norm(hidden, gd, betad, EPS, bounds.linear(xd, wd, bd))
    active = reference.gelu(normed)
    bound = bounds.gelu(normed, error).sum(0) + m * bounds.U * np.abs(active).sum(0)
    assert_within(got, active.sum(0), bound)


@checks("mix_f32")
@pytest.mark.parametrize("experts", [1, 2, 5])
@pytest.mark.parametrize("c", SIZES)
def test_mix(kernels: _core.Kernels, c: int, experts: int) -> None:
    inputs = [normal(i, 3, c) for i in range(experts)]
    weights = normal(99, experts)
    stacked = np.stack(wide(*inputs)) * weights.astype(np.float64)[:, None, None]
    got = kernels.mix_f32(inputs, weights)
    assert_within(got, stacked.sum(0), bounds.U * (experts + 1) * np.abs(stacked).sum(0))


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
    kernels: _core.Kernels,
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
    before = normal(6, size[0] * size[1], classes) if accumulate else None
    zd, wd, bd, lastd, lbd = wide(z, weight, bias, last, last_bias)
    exact_taps = [
        zd.reshape(-1, inputs) @ wd[:, :, dy, dx].T
        for dy, dx in itertools.product(range(3), repeat=2)
    ]
    taps = np.stack(exact_taps).astype(np.float32)
    got = kernels.head_expand_f32(taps, grid[1], size, bias, (last, last_bias), before)

    fused = reference.convolve3x3(reference.resize(zd, *size), wd, bd)
    # 12 products of taps with two rounded weights each, on taps that are rounded themselves.
    magnitude = 9 * np.abs(taps).max() + np.abs(bd)
    hidden_error = np.broadcast_to(bounds.SLACK * 19 * bounds.U * magnitude, fused.shape)
    active = reference.gelu(fused).reshape(-1, channels)
    active_error = bounds.gelu(fused, hidden_error).reshape(-1, channels)
    added = [lbd] if before is None else [lbd, before.astype(np.float64)]
    want = active @ lastd + sum(added)
    assert_within(got, want, bounds.linear(active, lastd, *added, x_error=active_error))


WINDOWS = {
    "the network's own size": Window(20, 28),
    "one pixel": Window(1, 1, 9.5, 3.5),
    "a letterbox undone": Window(33, 41, 2.0, 0.0, 16 / 33, 28 / 41),
    "beyond every edge": Window(30, 40, -5.0, -6.0),
    "shrunk": Window(7, 5, 0.0, 0.0, 20 / 7, 28 / 5),
}
EXTENT = (20, 28)


def arguments(w: Window) -> tuple[int, int, float, float, float, float]:
    return (w.height, w.width, w.top, w.left, w.scale_y, w.scale_x)


@pytest.fixture(params=list(WINDOWS))
def window(request: pytest.FixtureRequest) -> Window:
    return WINDOWS[request.param]


@checks("upsample_f32")
@pytest.mark.parametrize("classes", [1, 3, 17])
def test_upsample(kernels: _core.Kernels, window: Window, classes: int) -> None:
    plane = normal(1, 5, 7, classes)
    want = reference.windowed(plane.astype(np.float64), EXTENT, window).transpose(2, 0, 1)
    got = kernels.upsample_f32(plane, EXTENT, arguments(window))
    assert_within(got, want, bounds.sample(plane.astype(np.float64)))


@checks("decode_labels_u8_f32", "decode_labels_u16_f32")
@pytest.mark.parametrize("classes", [1, 2, 21, 256])
def test_labels(kernels: _core.Kernels, window: Window, classes: int) -> None:
    plane = normal(1, 5, 7, classes)
    samples = reference.windowed(plane.astype(np.float64), EXTENT, window)
    for name in ("decode_labels_u8_f32", "decode_labels_u16_f32"):
        got = getattr(kernels, name)(plane, EXTENT, arguments(window))
        chosen = np.take_along_axis(samples, got[..., None].astype(np.int64), -1)[..., 0]
        # Another label may only be chosen where two are closer than the error of a sample.
        assert_within(chosen, samples.max(-1), 2 * bounds.sample(plane.astype(np.float64)))


def test_the_first_of_equal_labels_wins(kernels: _core.Kernels) -> None:
    plane = np.zeros((3, 3, 9), np.float32)
    plane[..., [4, 7]] = 1
    assert (kernels.decode_labels_u8_f32(plane, (12, 12), arguments(Window(12, 12))) == 4).all()


@checks("decode_labels_u16_f32")
def test_labels_above_255(kernels: _core.Kernels) -> None:
    plane = np.zeros((2, 2, 700), np.float32)
    plane[..., 699] = 1
    assert (kernels.decode_labels_u16_f32(plane, (8, 8), arguments(Window(8, 8))) == 699).all()


@checks("decode_probability_f32", "decode_two_class_f32")
@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_probabilities(kernels: _core.Kernels, window: Window, scale: float) -> None:
    for kind, classes in (("probability", 1), ("two_class", 2)):
        plane = normal(1, 5, 7, classes, scale=scale)
        samples = reference.windowed(plane.astype(np.float64), EXTENT, window)
        got = getattr(kernels, f"decode_{kind}_f32")(plane, EXTENT, arguments(window))
        # Slope 1/4 of the sigmoid on each sample; expf is good to about one unit.
        bound = 0.25 * (classes + 1) * bounds.sample(plane.astype(np.float64)) + 4 * bounds.U
        assert_within(got, reference.decode(kind, samples), bound)


@checks("decode_normals_f32")
def test_normals(kernels: _core.Kernels, window: Window) -> None:
    plane = normal(1, 5, 7, 3)
    samples = reference.windowed(plane.astype(np.float64), EXTENT, window)
    got = kernels.decode_normals_f32(plane, EXTENT, arguments(window))
    length = np.linalg.norm(samples, axis=-1, keepdims=True)
    bound = 3 * bounds.sample(plane.astype(np.float64)) / length + 8 * bounds.U
    assert_within(got, reference.decode("normals", samples), bound)
    np.testing.assert_allclose(np.linalg.norm(got, axis=-1), 1, atol=8 * bounds.U)


def test_a_normal_of_no_length_stays_zero(kernels: _core.Kernels) -> None:
    plane = np.zeros((2, 2, 3), np.float32)
    got = kernels.decode_normals_f32(plane, (8, 8), arguments(Window(8, 8)))
    np.testing.assert_array_equal(got, np.zeros((8, 8, 3)))


@checks("decode_scalar_f32")
def test_scalar(kernels: _core.Kernels, window: Window) -> None:
    plane = normal(1, 5, 7, 1)
    samples = reference.windowed(plane.astype(np.float64), EXTENT, window)
    got = kernels.decode_scalar_f32(plane, EXTENT, arguments(window))
    want = reference.decode("scalar", samples)
    assert_within(got, want, bounds.sample(plane.astype(np.float64)))
    assert (got >= 0).all()
