"""What csrc/cuda/device promises of a machine, held against NumPy: of the emulator, so that what it
says of kernels is worth something, and of a device (`--cuda-path device`), which then are alike.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.device import Device, machine_of
from tests.cuda.emulator import Emulator

HERE = Path(__file__).parent
Array = NDArray[np.generic]
LANES = np.arange(32)


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest) -> Emulator | Device:
    """The emulator, or the device, with the kernels of conformance.cu."""
    return machine_of(request.config.getoption("--cuda-path"), [HERE / "conformance.cu"])


def bfloat(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """To the nearest, ties to even; a NaN stays one."""
    bits = values.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return np.where(np.isnan(values), 0x7FFF, rounded).astype(np.uint16)


def widened(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The values of bfloat16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def operands(kind: str, rng: np.random.Generator, whole: bool) -> tuple[Array, Array]:
    """A matrix [16, k] as it lies in memory, and its values as float64."""
    if kind == "s8":
        small = rng.integers(-127, 128, (16, 32)).astype(np.int8)
        return small, small.astype(np.float64)
    values = rng.integers(-8, 9, (16, 16)) if whole else rng.standard_normal((16, 16))
    single = values.astype(np.float32)
    if kind == "f16":
        half = single.astype(np.float16)
        return half, half.astype(np.float64)
    bits = bfloat(single)
    return bits, widened(bits).astype(np.float64)


@pytest.mark.parametrize("whole", [True, False], ids=["integers", "normal"])
@pytest.mark.parametrize("kind", ["f16", "bf16", "s8"])
def test_a_product_has_the_operands_that_its_loads_gave(
    machine: Emulator | Device, kind: str, whole: bool
) -> None:
    rng = np.random.default_rng(1)
    a, left = operands(kind, rng, whole)
    b, right = operands(kind, rng, whole)
    sums = np.int32 if kind == "s8" else np.float32
    d = rng.integers(-9, 10, (16, 16)).astype(sums)
    out = np.zeros_like(d)
    straight, transposed = np.zeros((2, 32, 4), np.uint32)
    machine.launch(
        f"conform_product_{kind}",
        grid=(1, 1, 1),
        shared=2 * 16 * 64,
        args={
            "a": a, "b": b, "d": d, "out": out, "straight": straight, "transposed": transposed
        },
    )  # fmt: skip
    exact = d + left @ right.T
    # Tensor cores may cut a sum off rather than round it: 2^-23 of the sum of magnitudes for each
    # of the 17 terms. Sums of small integers are exact.
    bound = 17 * 2.0**-23 * (np.abs(d) + np.abs(left) @ np.abs(right).T)
    assert np.all(np.abs(out - exact) <= (0 if whole or kind == "s8" else bound))

    # Matrix i of 8 x 8: rows first, or columns first; lane l has (l / 4, 2 (l % 4)) and the next.
    matrix = np.arange(4)
    rows = matrix // 2 * 8 + LANES[:, None] // 4
    words = matrix % 2 * 4 + LANES[:, None] % 4
    assert np.array_equal(straight, b.view(np.uint32)[rows, words])
    elements = a.view(np.uint16).astype(np.uint32)
    rows = matrix % 2 * 8 + 2 * (LANES[:, None] % 4)
    columns = matrix // 2 * 8 + LANES[:, None] // 4
    assert np.array_equal(transposed, elements[rows, columns] | elements[rows + 1, columns] << 16)


def inputs() -> NDArray[np.float32]:
    """Ties and their neighbours, the ends of the ranges of 16 bits, what is no number, and values
    of every size."""
    ties = [1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 0.5, 1.5, 2.5, -2.5]
    ends = [65504, 65519, 65520, 3.3895e38, 3.4e38, 2.0**-24, 2.0**-25, 2.0**-26, 6e-8, 2.0**-133]
    odd = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0]
    near = np.nextafter(np.float32(ties), np.float32([math.inf]))
    rng = np.random.default_rng(2)
    sizes = rng.standard_normal(256) * 2.0 ** rng.integers(-30, 31, 256)
    found = np.concatenate([ties, near, ends, odd, sizes, rng.uniform(-130, 130, 128)])
    return np.resize(found, -(-len(found) // 32) * 32).astype(np.float32)


def test_values_are_rounded_and_computed_as_promised(machine: Emulator | Device) -> None:
    x = inputs()
    count = len(x)
    single = {
        name: np.zeros(count, np.float32) for name in ("powers", "roots", "errors", "rounded")
    }
    whole = {name: np.zeros(count, np.uint32) for name in ("halves", "bfloats")}
    exchanged, both = np.zeros((5, count), np.float32), np.zeros((2, count), np.float32)
    finite = np.zeros(count, np.int32)
    machine.launch(
        "conform_values",
        grid=(1, 1, 1),
        shared=0,
        args={
            "in": x, "exchanged": exchanged, **whole, "widened": both, **single, "finite": finite,
            "count": count,
        },
    )  # fmt: skip
    for bit in range(5):
        neighbour = x.reshape(-1, 32)[:, LANES ^ 1 << bit].ravel()
        assert np.array_equal(exchanged[bit].view(np.uint32), neighbour.view(np.uint32))

    with np.errstate(over="ignore"):
        half = x.astype(np.float16)
    low, high = whole["halves"].astype(np.uint16), (whole["halves"] >> 16).astype(np.uint16)
    assert np.array_equal(low.view(np.float16), half, equal_nan=True)
    assert np.array_equal(high.view(np.float16), -half, equal_nan=True)
    assert np.array_equal(both[0], half.astype(np.float32), equal_nan=True)
    low, high = whole["bfloats"].astype(np.uint16), (whole["bfloats"] >> 16).astype(np.uint16)
    assert np.array_equal(widened(low), widened(bfloat(x)), equal_nan=True)
    assert np.array_equal(widened(high), widened(bfloat(-x)), equal_nan=True)
    assert np.array_equal(both[1], widened(bfloat(x)), equal_nan=True)

    assert np.array_equal(single["rounded"], np.rint(x), equal_nan=True)
    assert np.array_equal(finite, np.isfinite(x).astype(np.int32))

    wide = x.astype(np.float64)
    with np.errstate(all="ignore"):
        powers, roots = np.exp2(wide), 1 / np.sqrt(np.abs(wide))
    assert close(single["powers"], powers, 2.0**-22)
    assert close(single["roots"], roots, 2.0**-22)
    # To 2 units in the last place, which are at most 2^-23 of the value each.
    assert close(single["errors"], np.vectorize(math.erf)(wide), 2 * 2.0**-23)


def close(found: NDArray[np.float32], exact: NDArray[np.float64], relative: float) -> bool:
    """Whether values are within a relative error; those below the smallest normal one may be 0, and
    those above the largest one are infinite."""
    largest, smallest = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
    over = np.abs(exact) > largest
    tiny = np.abs(exact) < smallest
    with np.errstate(invalid="ignore"):
        near = np.abs(found - exact) <= relative * np.abs(exact)
    good = np.where(over, np.isinf(found), near | (np.isnan(exact) & np.isnan(found)))
    return bool(np.all(good | (tiny & (np.abs(found) <= smallest))))


def test_copies_fill_with_zeros_and_land_in_the_order_of_their_groups(
    machine: Emulator | Device,
) -> None:
    rng = np.random.default_rng(3)
    given = rng.integers(1, 2**32, (2, 32, 4), np.uint32)
    early, late = np.zeros((2, 32, 4), np.uint32)
    machine.launch(
        "conform_copies",
        grid=(1, 1, 1),
        shared=2 * 32 * 16,
        args={"in": given, "early": early, "late": late},
    )
    expected = np.where((LANES % 2 == 0)[None, :, None], given, 0)[:, LANES ^ 1]
    assert np.array_equal(early, expected[0])
    assert np.array_equal(late, expected[1])
