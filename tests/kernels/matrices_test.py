"""Products in every arithmetic, against float64 with operands rounded alike, over awkward sizes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import bounds, reference, rounded
from tests.kernels.checks import (
    ARITHMETICS,
    EPS,
    TRIPLES,
    all_of,
    assert_within,
    checks,
    normal,
    wide,
)
from tests.kernels.machines import Kernels

SHAPES = [*TRIPLES, (1025, 5, 17), (258, 96, 50), (33, 40, 3072)]


@checks(*all_of("linear"))
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("accumulate", [True, False])
def test_linear(
    kernels: Kernels, arithmetic: str, m: int, n: int, k: int, with_bias: bool, accumulate: bool
) -> None:
    x, w = normal(1, m, k), normal(2, k, n)
    b = normal(3, n) if with_bias else None
    y = normal(4, m, n) if accumulate else None
    got = kernels(f"linear_{arithmetic}", x, w, b, y)
    added = [a.astype(np.float64) for a in (b, y) if a is not None]
    xd, wd = rounded.rows(x, arithmetic), rounded.columns(w, arithmetic)
    # An exact sum of int8 is rounded once, then twice more by its scales.
    scaled = 3 * bounds.U * (np.abs(xd) @ np.abs(wd)) if arithmetic == "s8" else 0.0
    assert_within(got, xd @ wd + sum(added), bounds.linear(xd, wd, *added) + scaled)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "n", "k"), [(5, 1, 3), (33, 70, 50), (2, 40, 1027)])
def test_linear_of_a_matrix_that_is_quantised_already(
    kernels: Kernels, arithmetic: str, m: int, n: int, k: int
) -> None:
    """Its integers and scales are taken as they are, whatever the largest of a column is."""
    rng = np.random.default_rng(k)
    x = normal(1, m, k)
    cells = rng.integers(-90, 91, (k, n)).astype(np.float32)
    scales = rng.uniform(0.5, 2.0, n).astype(np.float32) / 127
    got = kernels(f"linear_{arithmetic}", x, cells, None, None, scales)
    if arithmetic == "s8":
        np.testing.assert_array_equal(got, rounded.linear_s8(x, cells, None, None, scales))
    else:
        np.testing.assert_array_equal(
            got, kernels(f"linear_{arithmetic}", x, cells * scales, None, None)
        )


@pytest.mark.parametrize("arithmetic", ["f32", "bf16"])
@pytest.mark.parametrize("scale", [2.0**-70, 2.0**55])
def test_linear_of_tiny_and_of_huge_numbers(
    kernels: Kernels, arithmetic: str, scale: float
) -> None:
    """Products between the smallest normal number and the largest."""
    x, w = normal(1, 6, 50, scale=scale), normal(2, 50, 33, scale=scale)
    x[2] = 0
    w[:, 3] = 0
    got = kernels(f"linear_{arithmetic}", x, w, None, None)
    xd, wd = rounded.rows(x, arithmetic), rounded.columns(w, arithmetic)
    # Partial products below the smallest normal number may count as zero.
    assert_within(got, xd @ wd, bounds.linear(xd, wd) + 50 * 2.0**-126)
    assert not got[2].any()
    assert not got[:, 3].any()


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("accumulate", [True, False])
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_int8_gives_the_same_bits_everywhere(
    kernels: Kernels, m: int, n: int, k: int, with_bias: bool, accumulate: bool
) -> None:
    x, w, b, y = normal(1, m, k), normal(2, k, n), normal(3, n), normal(4, m, n)
    ties = np.arange(k) % 127 + np.float32(0.5)
    ties[0] = 127
    x[0] = ties
    w[:, 0] = -ties
    x[m // 2] *= np.float32(2.0**60)
    w[:, n // 2] *= np.float32(2.0**-70)
    x[m // 3] *= np.float32(2.0**-110)
    w[:, n // 3] = 0
    added = (b if with_bias else None, y if accumulate else None)
    want = rounded.linear_s8(x, w, *added)
    np.testing.assert_array_equal(kernels("linear_s8", x, w, *added), want)


@pytest.mark.parametrize("k", [4, 6, 127, 768])
def test_int8_does_not_saturate(kernels: Kernels, k: int) -> None:
    x, w = np.full((3, k), 2.0, np.float32), np.full((k, 33), 4.0, np.float32)
    for sign in (1, -1):
        got = kernels("linear_s8", sign * x, w, None, None)
        np.testing.assert_allclose(got, sign * 8.0 * k, rtol=4 * bounds.U)


def test_int8_sums_exactly_at_its_longest(kernels: Kernels) -> None:
    x = normal(1, 2, 65536)
    w = normal(2, 65536, 3)
    x[0], w[:, 0] = 1, -1  # the largest sum there is: 127 * 127 * 65536 < 2^31
    np.testing.assert_array_equal(
        kernels("linear_s8", x, w, None, None), rounded.linear_s8(x, w, None, None)
    )


def test_bf16_rounds_to_nearest_even(kernels: Kernels) -> None:
    upper = np.arange(0x0080, 0x7F00, 7, dtype=np.uint32) << 16  # normal numbers of every exponent
    x = np.concatenate([upper | low for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF)])
    values = np.concatenate([x, x | 0x80000000]).view(np.float32)[:, None]
    got = kernels("linear_bf16", values, [[1.0]], None, None)
    np.testing.assert_array_equal(got, rounded.to_bf16(values))


@checks(*all_of("pack", "packed_size"))
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("k", "n"), [(k, n) for _, k, n in TRIPLES])
def test_a_matrix_is_packed_alike_from_rows_and_from_columns(
    kernels: Kernels, arithmetic: str, k: int, n: int
) -> None:
    w = normal(1, k, n)
    packed = kernels(f"pack_{arithmetic}", w, None)
    np.testing.assert_array_equal(kernels(f"pack_{arithmetic}", w, w.T), packed)
    size = kernels(f"packed_size_{arithmetic}", [k, n])
    assert size == packed.size >= k * n
    assert size % 64 == 0


@checks(*all_of("prepare", "row_size"))
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "k"), [(m, k) for m, k, _ in TRIPLES])
def test_prepared_rows_follow_each_other(kernels: Kernels, arithmetic: str, m: int, k: int) -> None:
    x = normal(1, m, k)
    rows = kernels(f"prepare_{arithmetic}", x)
    size = kernels(f"row_size_{arithmetic}", [k])
    assert m * size == rows.size >= m * k
    assert size % 64 == 0


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("m", [2, 7, 13, 14, 15, 29, 97])
def test_a_row_does_not_depend_on_the_rows_beside_it(
    kernels: Kernels, arithmetic: str, m: int
) -> None:
    x, w, b = normal(1, m, 50), normal(2, 50, 37), normal(3, 37)
    name = f"linear_{arithmetic}"
    alone = np.concatenate([kernels(name, x[i : i + 1], w, b, None) for i in range(m)])
    np.testing.assert_array_equal(kernels(name, x, w, b, None), alone)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_no_rows_are_no_work(kernels: Kernels, arithmetic: str) -> None:
    got = kernels(f"linear_{arithmetic}", np.zeros((0, 7)), normal(2, 7, 3), None, None)
    assert got.shape == (0, 3)


@checks(*all_of("peak"))
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_peak_counts_its_multiplications(kernels: Kernels, arithmetic: str) -> None:
    assert kernels(f"peak_{arithmetic}", [20]) == 2 * kernels(f"peak_{arithmetic}", [10])
    assert kernels(f"peak_{arithmetic}", [10]) > 0


@checks("adapter_f32")
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_adapter(kernels: Kernels, m: int, c: int, h: int) -> None:
    x, r = normal(1, m, c), normal(2, m, c)
    down, up = normal(3, c, h, scale=c**-0.5), normal(4, h, c, scale=h**-0.5)
    b, d = normal(5, h), normal(6, c)
    got = kernels("adapter_f32", x, r, down, b, up, d)
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
    kernels: Kernels, arithmetic: str, m: int, c: int, h: int
) -> None:
    x, r = normal(1, m, c), normal(2, m, c)
    down, up = normal(3, c, h, scale=c**-0.5), normal(4, h, c, scale=h**-0.5)
    b, d = normal(5, h), normal(6, c)
    product = f"linear_{arithmetic}"
    hidden = kernels("gelu_f32", kernels(product, x + r, down, b, None).ravel()).reshape(m, h)
    got = kernels(f"adapter_{arithmetic}", x, r, down, b, up, d)
    np.testing.assert_array_equal(got, kernels(product, hidden, up, d, x + r))


@checks("router_bf16", "router_s8")
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_a_router_is_a_product_a_norm_and_a_gelu_summed_row_by_row(
    kernels: Kernels, arithmetic: str, m: int, c: int, h: int
) -> None:
    x, w = normal(1, m, c), normal(2, c, h, scale=c**-0.5)
    b, gamma, beta = normal(3, h), normal(4, h), normal(5, h)
    hidden = kernels(f"linear_{arithmetic}", x, w, b, None)
    normed = kernels("layer_norm_f32", hidden, gamma, beta, [EPS])
    active = kernels("gelu_f32", normed.ravel()).reshape(m, h)
    want = np.zeros(h, np.float32)
    for row in active:
        want += row
    got = kernels(f"router_{arithmetic}", x, w, b, gamma, beta, [EPS])
    np.testing.assert_array_equal(got, want)


@checks("router_f32")
@pytest.mark.parametrize(("m", "c", "h"), TRIPLES)
def test_router(kernels: Kernels, m: int, c: int, h: int) -> None:
    x, w = normal(1, m, c), normal(2, c, h, scale=c**-0.5)
    b, gamma, beta = normal(3, h), normal(4, h), normal(5, h)
    got = kernels("router_f32", x, w, b, gamma, beta, [EPS])
    xd, wd, bd, gd, betad = wide(x, w, b, gamma, beta)
    hidden = xd @ wd + bd
    normed = reference.layer_norm(hidden, gd, betad, EPS)
    error = bounds.layer_norm(hidden, gd, betad, EPS, bounds.linear(xd, wd, bd))
    active = reference.gelu(normed)
    bound = bounds.gelu(normed, error).sum(0) + m * bounds.U * np.abs(active).sum(0)
    assert_within(got, active.sum(0), bound)
