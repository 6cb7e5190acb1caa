"""The float64 reference with the factors of every product rounded as an arithmetic rounds them.

Float32 sums, however, are not emulated: ours may be off by a few units in the last place before it
rounds an operand, and then occasionally rounds it the other way. `precision_test.py` bounds the
effect.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tests.kernels.reference import Array, Student

F32 = NDArray[np.float32]


def to_bf16(x: Array) -> Array:
    """To nearest even."""
    bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


def to_s8(x: Array, axis: int) -> Array:
    """Whole multiples, -127 to 127, of a step per vector along `axis`: its largest value / 127."""
    x32 = x.astype(np.float32)
    largest = np.abs(x32).max(axis, keepdims=True)
    is_zero = largest < 2.0**-100
    factor = np.where(is_zero, np.float32(0), np.float32(127) / np.where(is_zero, 1, largest))
    scale = np.where(is_zero, np.float32(0), largest / np.float32(127))
    return np.rint(x32 * factor).astype(np.float64) * scale.astype(np.float64)


def linear_s8(
    x: F32, weight: F32, bias: F32 | None, y: F32 | None, scales: F32 | None = None
) -> F32:
    """The rule of `kernel_table.h`, each operation rounded to float32 by itself.

    With scales the weight is quantised already.
    """

    def quantised(a: F32, axis: int) -> tuple[NDArray[np.int64], F32]:
        largest = np.abs(a).max(axis, keepdims=True)
        largest[largest < 2.0**-100] = 0
        with np.errstate(divide="ignore"):
            factor = np.where(largest == 0, np.float32(0), np.float32(127) / largest)
        return np.rint(a * factor).astype(np.int64), largest / np.float32(127)

    q, scale = quantised(x, 1)
    given = None if scales is None else (weight.astype(np.int64), scales)
    qw, weight_scale = given or quantised(weight, 0)
    out = (q @ qw).astype(np.float32) * (scale * weight_scale)
    out = out if bias is None else out + bias
    return out if y is None else y + out


def rows(x: Array, arithmetic: str) -> Array:
    """A product's left factor [m, k] as `f32`, `bf16` or `s8` rounds it."""
    if arithmetic == "s8":
        return to_s8(x, -1)
    return to_bf16(x) if arithmetic == "bf16" else x.astype(np.float64)


def columns(weight: Array, arithmetic: str) -> Array:
    """A product's right factor [k, n] as `f32`, `bf16` or `s8` rounds it."""
    return rows(weight.T, arithmetic).T


class Bf16Student(Student):
    def operand(self, x: Array) -> Array:
        return to_bf16(x)

    def matrix(self, weight: Array) -> Array:
        return to_bf16(weight)


class S8Student(Student):
    def operand(self, x: Array) -> Array:
        return to_s8(x, -1)

    def matrix(self, weight: Array) -> Array:
        return to_s8(weight, 0)


STUDENTS = {"bf16": Bf16Student, "int8": S8Student}
