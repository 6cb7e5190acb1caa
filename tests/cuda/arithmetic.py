"""The 16-bit floats that kernels take, as tests make them and bound them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.cuda.emulator import bfloat16

U = 2.0**-24
"""Unit roundoff of float32."""
SUM = 2 * U
"""Of an addition that may be truncated, as tensor cores do."""


@dataclass(frozen=True)
class Arithmetic:
    """A 16-bit type.

    Attributes:
        name: As entries of kernels end.
        unit: Its unit roundoff.
        tiny: How far rounding may be off among its subnormals.
    """

    name: str
    unit: float
    tiny: float

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values rounded to it, as they lie in memory."""
        return values.astype(np.float16) if self.name == "f16" else bfloat16(values)

    def full(self, shape: tuple[int, ...], value: float = np.nan) -> NDArray[Any]:
        """An array of it; NaN shows what was not written."""
        return self.array(np.full(shape, value, np.float32))

    def rounding(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far results may be off their exact values for being rounded to it."""
        return self.unit * np.abs(values) + self.tiny


F16 = Arithmetic("f16", 2.0**-11, 2.0**-25)
BF16 = Arithmetic("bf16", 2.0**-8, 2.0**-134)
ARITHMETICS = (F16, BF16)
