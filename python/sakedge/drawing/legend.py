"""What the colours of a drawing mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Legend:
    """What the colours of a drawing mean.

    Attributes:
        entries: A colour and its meaning, one per line.
        ramp: Colours from the lowest to the highest value, uint8 [n, 3], or None.
        ends: What the first and the last colour of the ramp stand for.
    """

    entries: tuple[tuple[tuple[int, int, int], str], ...] = ()
    ramp: NDArray[np.uint8] | None = None
    ends: tuple[str, str] = ("", "")
