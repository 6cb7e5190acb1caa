"""Calls of a compiled student, and what they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = (64, 64, 0.0, 0.0, 1.0, 1.0)
Found = tuple[list[Any], list[Any], list[Any], NDArray[Any], bool]


def picture(seed: int = 0, height: int = 64, width: int = 64) -> NDArray[np.uint8]:
    """Noise over a slope."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 128, (height, width, 3))
    slope = np.linspace(0, 127, width, dtype=np.int64)[None, :, None]
    return (noise + slope).astype(np.uint8)


def run(model: Any, snapshots: Sequence[Any], pictures: Any = None, **options: Any) -> list[Found]:
    """A call on one picture for each snapshot, unless they are given."""
    pictures = [(picture(i), 0, 0) for i in range(len(snapshots))] if pictures is None else pictures
    call: dict[str, Any] = {
        "rows": range(len(snapshots)),
        "windows": [WINDOW] * len(snapshots),
        "values": True,
        "logits": True,
        "maps": True,
        "min_weight": 0.0,
    }
    found: list[Found] = model.run(pictures=pictures, snapshots=snapshots, **call | options)
    return found


def assert_same(a: Sequence[Found], b: Sequence[Found]) -> None:
    for one, other in zip(a, b, strict=True):
        for i in range(3):
            for x, y in zip(one[i], other[i], strict=True):
                np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(one[3], other[3])


def copied(found: Sequence[Found]) -> list[Found]:
    """Results in memory of their own, which stay when the emulated driver starts anew."""

    def copies(arrays: Sequence[Any]) -> list[Any]:
        return [array.copy() for array in arrays]

    return [(*map(copies, each[:3]), *each[3:]) for each in found]  # type: ignore[misc]


def arrays_of(found: Sequence[Found]) -> list[Any]:
    return [array for each in found for arrays in each[:3] for array in arrays]
