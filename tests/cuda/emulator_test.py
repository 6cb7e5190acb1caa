"""Faults that are put into a kernel are found, whichever way the kernel was compiled."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.emulator import Emulator, Failure, Stats, shipped

FAULTS = Path(__file__).with_name("faults.cu")
SHARED = 3 * 2 * 64 * 32 * 2
M, N, K = 100, 72, 200
SEEDS = range(1, 9)


@pytest.fixture(scope="module", params=["ptx", "host"])
def faulty(request: pytest.FixtureRequest) -> Emulator:
    return Emulator(request.param, [FAULTS])


@pytest.fixture(scope="module")
def matrices() -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    rng = np.random.default_rng(7)
    a = rng.normal(size=(M, K)).astype(np.float16)
    w = (rng.normal(size=(N, K)) / np.sqrt(K)).astype(np.float16)
    return a, w


class Product:
    """A launch of one of the kernels, and how far its result is from right, in bounds."""

    def __init__(self, emulator: Emulator, matrices: tuple[NDArray[np.float16], ...]) -> None:
        self.emulator = emulator
        self.a, self.w = matrices
        self.stats: Stats | None = None

    def run(self, name: str, seed: int, *, races: bool = True, late: bool = True) -> float:
        out = np.full((M, N), np.nan, np.float16)
        args = {"a": self.a, "w": self.w, "out": out, "m": M, "n": N, "k": K}
        grid = (-(-N // 64), -(-M // 64), 1)
        self.stats = self.emulator.launch(
            name, grid=grid, shared=SHARED, args=args, seed=seed, races=races, late_copies=late
        )
        exact = self.a.astype(float) @ self.w.astype(float).T
        size = np.abs(self.a).astype(float) @ np.abs(self.w).astype(float).T
        # K sums in float32, and half a unit of float16 for the result.
        bound = K * 2.0**-24 * size + 2.0**-11 * np.abs(exact) + 2.0**-25
        return float(np.nan_to_num(np.abs(out - exact) / bound, nan=np.inf).max())


@pytest.fixture
def product(faulty: Emulator, matrices: tuple[NDArray[np.float16], ...]) -> Product:
    return Product(faulty, matrices)


def test_right_kernel_is_right_in_every_schedule(product: Product) -> None:
    for seed in SEEDS:
        assert product.run("right", seed, late=seed % 2 == 0) <= 1
    assert product.stats is not None
    # Four blocks; two multiplications of eight columns, by four warps, for 16 of 200 products.
    assert product.stats.multiplies == 4 * 4 * 8 * 2 * -(-K // 32)
    assert product.stats.bank_conflicts == 0


def test_schedules_differ_by_seed_and_repeat(product: Product) -> None:
    def switches(seed: int) -> int:
        product.run("right", seed)
        assert product.stats is not None
        return product.stats.switches

    assert switches(1) == switches(1)
    assert len({switches(seed) for seed in SEEDS}) > 1


@pytest.mark.parametrize("fault", ["no_barrier", "early_refill", "no_wait", "no_warp_barrier"])
def test_race_is_found_in_every_schedule_and_shows_in_values_of_some(
    product: Product, fault: str
) -> None:
    wrong = 0
    for seed in SEEDS:
        with pytest.raises(Failure, match=rf"{fault}, block .* seed {seed}: race: "):
            product.run(fault, seed)
        wrong += product.run(fault, seed, races=False, late=seed % 2 == 0) > 1
    assert wrong > 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("skipped_barrier", "divergent barrier|race: "),
        ("row_too_far", r"writes 16 bytes out of bounds at \w+: byte 14\d+ of 14400 of out"),
        ("shared_too_far", r"writes 4 bytes out of bounds at byte \d+ of 24576 of shared"),
        ("misaligned", r"reads 16 bytes misaligned at byte \d+ of shared memory"),
        ("two_writers", "race: write of what another block wrote, byte 0 of out"),
        ("read_of_other", "race: (read|write) of what another block (wrote|read)"),
        ("lane_left", "lanes of a warp|a lane ends"),
        ("copy_in_flight", r"ends with \d+ asynchronous copies not waited for"),
    ],
)
def test_fault_is_found_in_every_schedule(product: Product, fault: str, message: str) -> None:
    for seed in SEEDS:
        with pytest.raises(Failure, match=message):
            product.run(fault, seed)


@pytest.mark.parametrize("fault", ["skipped_barrier", "row_too_far", "shared_too_far", "lane_left"])
def test_what_is_no_race_is_found_without_the_race_check(product: Product, fault: str) -> None:
    with pytest.raises(Failure):
        product.run(fault, 1, races=False)


def _swap(text: str, opcode: str, which: int, i: int, j: int) -> str:
    """Exchanges two registers of an instruction's vector operand, in the first such instruction."""
    found = re.search(rf"{opcode}\s[^;]*;", text)
    assert found is not None
    vectors = re.findall(r"\{[^}]*\}", found[0])
    registers = [r.strip() for r in vectors[which].strip("{}").split(",")]
    registers[i], registers[j] = registers[j], registers[i]
    changed = found[0].replace(vectors[which], "{" + ", ".join(registers) + "}", 1)
    assert changed != found[0]
    return text[: found.start()] + changed + text[found.end() :]


@pytest.mark.parametrize(
    ("opcode", "which", "i", "j"),
    [
        (r"mma\.sync\S*", 1, 1, 2),  # a
        (r"mma\.sync\S*", 2, 0, 1),  # b
        (r"ldmatrix\S*", 0, 0, 3),
    ],
)
def test_swapped_registers_in_the_assembly_show_in_values(
    matrices: tuple[NDArray[np.float16], ...], opcode: str, which: int, i: int, j: int
) -> None:
    emulator = Emulator("ptx", [FAULTS])
    text = shipped.ptx_of(FAULTS)
    start = text.index(".visible .entry right(")
    kernel = text[:start] + _swap(text[start:], opcode, which, i, j)
    emulator.load(shipped.build_texts([kernel]))
    assert Product(emulator, matrices).run("right", 1) > 10


def test_unknown_fields_and_kernels_are_refused(product: Product) -> None:
    with pytest.raises(KeyError, match=r"FaultArgs has no \['b'\]; it has \['a', 'k'"):
        product.emulator.launch("right", grid=(1, 1, 1), args={"b": None})
    with pytest.raises(KeyError, match="no kernel 'left'; there are "):
        product.emulator.launch("left", grid=(1, 1, 1), args={})


def test_null_and_constant_arrays_are_not_to_be_written(
    product: Product,
) -> None:
    args = {"a": product.a, "w": product.w, "out": None, "m": M, "n": N, "k": K}
    with pytest.raises(Failure, match=r"writes 16 bytes at .*, below all of global memory"):
        product.emulator.launch("right", grid=(1, 1, 1), shared=SHARED, args=args)
    args["out"] = np.zeros((M, N), np.float16)
    args["out"].flags.writeable = False
    with pytest.raises(Failure, match="writes out, which is constant"):
        product.emulator.launch("right", grid=(1, 1, 1), shared=SHARED, args=args)
