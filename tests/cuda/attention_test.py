"""attention_* against float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.arithmetic import ARITHMETICS, SUM, Arithmetic, U
from tests.cuda.emulator import Emulator, Stats, floats

CHANNELS = 64
SCALE = np.float32(np.log2(np.e) / np.sqrt(CHANNELS))
EXP2 = 2.0**-22
"""Relative error of ex2.approx, and as much again for the flush of what is under 2^-126."""
QUERIES, KEYS, STAGES = 96, 32, 3
"""Queries of a block, keys of a warp at a time, tiles of them in flight: attention_shape.h."""
SLACK = 8
"""Largest binary logarithm of a weight: attention_warp.h."""

Array = NDArray[np.float64]

pytestmark = pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)


def qkv(seed: int, images: int, tokens: int, heads: int) -> Array:
    """Normal queries, keys and values, [images, tokens, 3, heads, 64]."""
    return np.random.default_rng(seed).normal(size=(images, tokens, 3, heads, CHANNELS))


def attend(
    emulator: Emulator,
    arithmetic: Arithmetic,
    splits: int,
    inputs: NDArray[Any],
    seed: int = 1,
    late_copies: bool = True,
) -> tuple[NDArray[np.float32], Stats]:
    """Runs the kernel; results [images, tokens, heads, 64]."""
    images, tokens, _, heads, _ = inputs.shape
    out = arithmetic.full((images, tokens, heads, CHANNELS))
    stats = emulator.launch(
        f"attention_{arithmetic.name}_{splits}",
        grid=(-(-tokens // QUERIES), heads, images),
        shared=STAGES * 2 * splits * KEYS * 128,
        args={"qkv": inputs, "out": out, "tokens": tokens, "heads": heads, "scale": SCALE},
        seed=seed,
        late_copies=late_copies,
    )
    return floats(out), stats


def expected(
    arithmetic: Arithmetic, inputs: NDArray[Any], exact_logits: bool = False
) -> tuple[Array, Array]:
    """Results in float64 and how far the kernel may be off.

    A logit is a sum of 64 products, exact if it is one of small integers. It is scaled and moved by
    the row's peak in one rounding, and each later change of the peak (one a tile, and that to the
    splits' common peak) rounds once more and takes one exp2. Weights are at most 2^SLACK against
    the peak of their time and rounded to 16 bits, then summed with the values in float32; the
    total, at least 1, is of those not rounded.
    """
    q, k, v = np.moveaxis(floats(inputs).astype(np.float64), 2, 0)
    logits = float(SCALE) * np.einsum("bihc,bjhc->bhij", q, k)
    size = float(SCALE) * np.einsum("bihc,bjhc->bhij", np.abs(q), np.abs(k))
    below = logits - logits.max(-1, keepdims=True)
    weights = np.exp2(below)
    total = weights.sum(-1, keepdims=True)

    tokens = q.shape[1]
    tiles = -(-tokens // (2 * KEYS))  # fewer if there are more splits
    off_logits = np.zeros_like(size) if exact_logits else 64 * SUM * size
    # The peak errs alike in all weights of a row, and so not at all; what is left is the distance.
    off = np.log(2) * (off_logits + (tiles + 1) * U * np.abs(below) + U * SLACK)
    off += (tiles + 1) * EXP2
    sums = (tokens + tiles + 64) * SUM
    relative = off + sums + arithmetic.unit
    results = np.einsum("bhij,bjhc->bihc", weights / total, v)
    value_off = np.einsum("bhij,bjhc->bihc", weights / total * relative, np.abs(v))
    value_off += arithmetic.tiny * np.abs(v).sum(1, keepdims=True)
    total_off = (weights * (off + sums)).sum(-1, keepdims=True) / total + 3 * U
    value_off += np.moveaxis(total_off, 1, 2) * np.abs(results)
    return results, value_off * (1 + arithmetic.unit) + arithmetic.rounding(results)


def check(got: NDArray[np.float32], want: tuple[Array, Array]) -> None:
    results, off = want
    excess = np.abs(got - results) / off
    assert np.nanmax(excess) <= 1 and not np.isnan(got).any(), f"{np.nanmax(excess)} of the bound"


@pytest.mark.parametrize("splits", [2, 4])
@pytest.mark.parametrize("tokens", [17, 65, 200, 257])
def test_every_token_gets_the_average_of_values_by_softmax(
    emulator: Emulator, arithmetic: Arithmetic, splits: int, tokens: int
) -> None:
    images, heads = (2, 2) if tokens == 65 else (1, 1)
    inputs = arithmetic.array(2 * qkv(tokens, images, tokens, heads))
    got, stats = attend(emulator, arithmetic, splits, inputs)
    check(got, expected(arithmetic, inputs))
    assert stats.bank_conflicts == 0


@pytest.mark.parametrize("splits", [2, 4])
def test_the_official_number_of_tokens(
    emulator: Emulator, arithmetic: Arithmetic, splits: int, long: bool
) -> None:
    images, heads = (2, 2) if long else (1, 1)
    inputs = arithmetic.array(qkv(9, images, 1025, heads))
    check(attend(emulator, arithmetic, splits, inputs)[0], expected(arithmetic, inputs))


@pytest.mark.parametrize("splits", [2, 4])
@pytest.mark.parametrize("late", [True, False])
def test_no_schedule_changes_a_result(
    emulator: Emulator, arithmetic: Arithmetic, splits: int, late: bool, long: bool
) -> None:
    inputs = arithmetic.array(qkv(3, 1, 200, 1))
    first, _ = attend(emulator, arithmetic, splits, inputs)
    for seed in range(2, 40 if long else 5):
        other, _ = attend(emulator, arithmetic, splits, inputs, seed, late)
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("splits", [2, 4])
def test_logits_of_ten_thousands_do_not_overflow(
    emulator: Emulator, arithmetic: Arithmetic, splits: int
) -> None:
    """Peaks rise from tile to tile, and the exponential of none of them is a float."""
    random = np.random.default_rng(5)
    inputs = qkv(5, 1, 200, 1)
    directions = random.choice([-1, 1], size=CHANNELS)
    inputs[:, :, 0, 0] = 40 * directions
    rising = np.linspace(-40, 40, 200).round()
    inputs[:, :, 1, 0] = rising[None, :, None] * directions
    inputs[:, :, 1, 0, 0] += random.integers(-1, 2, size=200)
    rounded = arithmetic.array(inputs)
    logits = np.einsum("ic,jc->ij", *floats(rounded)[0, :, :2, 0].swapaxes(0, 1)) / 8
    assert np.abs(logits).max() > 1e4
    got, _ = attend(emulator, arithmetic, splits, rounded)
    check(got, expected(arithmetic, rounded, exact_logits=True))


@pytest.mark.parametrize("splits", [2, 4])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_where_it_leads(
    emulator: Emulator, arithmetic: Arithmetic, splits: int, value: float
) -> None:
    """A query's in its row, a value's in its channel, a key's in all rows that look at it."""
    tokens, at = 100, 70
    for part in range(3):
        inputs = qkv(6, 1, tokens, 2)
        inputs[0, at, part, 0, 11] = value
        got, _ = attend(emulator, arithmetic, splits, arithmetic.array(inputs))
        finite = np.isfinite(got[0])
        assert finite[:, 1].all()
        if part == 0:
            np.testing.assert_array_equal(finite[:, 0].any(-1), np.arange(tokens) != at)
        elif part == 2:
            np.testing.assert_array_equal(finite[:, 0].all(0), np.arange(CHANNELS) != 11)
        else:
            looks = np.isnan(value) | (inputs[0, :, 0, 0, 11] * value > 0)
            assert not finite[looks, 0].any()
