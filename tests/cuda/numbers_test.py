"""Conversions between floats, exhaustively, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.emulator import bfloat16, floats
from tests.cuda.snippets import Snippet, Snippets

ALL = np.arange(65536, dtype=np.uint16)


def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values, the points halfway between neighbours, and what is just beside those."""
    finite = np.unique(values[np.isfinite(values)]).astype(float)
    ties = ((finite[1:] + finite[:-1]) / 2).astype(np.float32)
    beside = [np.nextafter(ties, np.float32(s)) for s in (-np.inf, np.inf)]
    ends = np.array([np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 65519.996, 65520, 1e-45], np.float32)
    return np.concatenate([values, ties, *beside, ends])


HALVES = around(ALL.view(np.float16).astype(np.float32))
BFLOATS = around(floats(ALL))


def same(got: NDArray[Any], want: NDArray[Any]) -> bool:
    """Bits are, but for NaN."""
    nan = np.isnan(want)
    bits = f"uint{8 * want.itemsize}"
    return bool(
        np.array_equal(np.isnan(got), nan)
        and np.array_equal(got[~nan].view(bits), want[~nan].view(bits))
    )


@pytest.fixture(scope="module")
def converted() -> dict[str, NDArray[Any]]:
    snippets = {
        "from_half": Snippet("cvt.f32.f16 %d, %a;", "f32", ("b16",)),
        "to_half": Snippet("cvt.rn.f16.f32 %d, %a;", "b16", ("f32",)),
        "to_bfloat": Snippet("cvt.rn.bf16.f32 %d, %a;", "b16", ("f32",)),
        "two_halves": Snippet("cvt.rn.f16x2.f32 %d, %a, %b;", "b32", ("f32", "f32")),
        "two_bfloats": Snippet("cvt.rn.bf16x2.f32 %d, %a, %b;", "b32", ("f32", "f32")),
    }
    length = max(len(HALVES), len(BFLOATS))
    halves, bfloats = np.resize(HALVES, length), np.resize(BFLOATS, length)
    given = [
        [np.resize(ALL, length)],
        [halves],
        [bfloats],
        [halves, halves[::-1]],
        [bfloats, bfloats[::-1]],
    ]
    return dict(zip(snippets, Snippets(list(snippets.values())).run(given), strict=True))


def test_all_halves_are_read(converted: dict[str, NDArray[Any]]) -> None:
    got = converted["from_half"][: len(ALL)]
    assert same(got, ALL.view(np.float16).astype(np.float32))


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_floats_become_the_nearest_half(converted: dict[str, NDArray[Any]]) -> None:
    want = HALVES.astype(np.float16)
    assert same(converted["to_half"][: len(HALVES)].view(np.float16), want)
    two = converted["two_halves"]
    count = len(two)
    high = np.resize(HALVES, count).astype(np.float16)
    assert same((two >> 16).astype(np.uint16).view(np.float16), high)
    assert same(two.astype(np.uint16).view(np.float16), high[::-1])


def nearest_bfloat(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """By search among all of them: ties to the one whose last bit is 0, the last step overflows."""
    finite = np.unique(floats(ALL[:0x7F80])).astype(float)  # not negative
    steps = np.append(finite, 2 * finite[-1] - finite[-2])
    size = np.abs(values.astype(float))
    above = np.clip(np.searchsorted(steps, size), 1, len(steps) - 1)
    low, high = steps[above - 1], steps[above]
    up = (size - low > high - size) | ((size - low == high - size) & ((above - 1) % 2 == 1))
    nearest = np.where(up, above, above - 1).astype(np.uint16)
    nearest[np.isinf(size)] = 0x7F80
    result = np.copysign(floats(nearest), values)
    result[np.isnan(values)] = np.nan
    return result


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # signalling NaN
def test_floats_become_the_nearest_bfloat(converted: dict[str, NDArray[Any]]) -> None:
    want = nearest_bfloat(BFLOATS)
    assert same(floats(converted["to_bfloat"][: len(BFLOATS)]), want)
    assert same(floats(bfloat16(BFLOATS)), want)  # what the tests themselves use
    two = converted["two_bfloats"]
    high = np.resize(want, len(two))
    assert same(floats((two >> 16).astype(np.uint16)), high)
    assert same(floats(two.astype(np.uint16)), high[::-1])
