"""Values that no argument expects."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Raising:
    """Raises whatever it is asked."""

    def _raise(self, *arguments: object, **named: object) -> Any:
        raise RuntimeError("hostile")

    __repr__ = __str__ = __len__ = __iter__ = __bool__ = __index__ = __float__ = _raise
    __array__ = __fspath__ = __getitem__ = __eq__ = __call__ = _raise
    __hash__ = object.__hash__


class NamedPath(os.PathLike[str]):
    """A path that is bytes."""

    def __fspath__(self) -> Any:
        return b"bytes.png"


class OddArray(np.ndarray):  # type: ignore[type-arg]
    """An array whose functions raise."""

    def __array_function__(self, *arguments: object, **named: object) -> Any:
        raise RuntimeError("hostile")

    def __array_ufunc__(self, *arguments: object, **named: object) -> Any:
        raise RuntimeError("hostile")


def _endless() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


SCALARS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: 0,
    lambda: -1,
    lambda: 3,
    lambda: 1 << 31,
    lambda: 1 << 64,
    lambda: 10**400,
    lambda: 1.5,
    lambda: float("nan"),
    lambda: float("-inf"),
    lambda: 1j,
    lambda: np.int64(-3),
    lambda: np.float32("nan"),
    lambda: np.datetime64("now"),
)
TEXTS: tuple[Callable[[], Any], ...] = (
    lambda: "",
    lambda: " ",
    lambda: "none",
    lambda: "a\0b",
    lambda: "\ud800",
    lambda: "x" * 5000,
    lambda: "../" * 50,
    lambda: "\x1b[2J\u202e",
    lambda: "[",
    lambda: "**/*",
    lambda: b"bytes",
    lambda: b"",
    lambda: bytearray(9),
    lambda: Path("missing") / ("y" * 300),
    NamedPath,
)
OBJECTS: tuple[Callable[[], Any], ...] = (
    Raising,
    object,
    lambda: Raising,
    lambda: print,
    list,
    lambda: [None],
    lambda: [[["deep"]]],
    lambda: ("edge", 3),
    lambda: [Raising()],
    dict,
    lambda: {1: 2},
    lambda: {"edge": None},
    lambda: {"a", "b"},
    lambda: (each for each in ("edge",)),
    lambda: range(3),
    _endless,
    lambda: memoryview(b"view"),
)
ARRAYS: tuple[Callable[[], Any], ...] = (
    lambda: np.array(1.0),
    lambda: np.zeros(0, np.float32),
    lambda: np.zeros((0, 3, 256, 256), np.float32),
    lambda: np.zeros((1, 3, 255, 256), np.float32),
    lambda: np.full((1, 3, 256, 256), np.nan, np.float32),
    lambda: np.full((1, 3, 256, 256), 1e38, np.float32),
    lambda: np.zeros((1, 3, 256, 256), np.float64),
    lambda: np.zeros((1, 3, 256, 256), ">f4"),
    lambda: np.zeros((1, 3, 256, 256), np.float32).view(OddArray),
    lambda: np.zeros((4, 4), object),
    lambda: np.full((4, 4), None),
    lambda: np.zeros((4, 4, 3), complex),
    lambda: np.full((4, 4, 3), np.inf),
    lambda: np.zeros((4, 4, 3), np.float16),
    lambda: np.zeros((4, 4, 7), np.uint8),
    lambda: np.zeros((300, 300, 3), np.uint8)[::-2, ::-3],
    lambda: np.broadcast_to(np.uint8(3), (10**6, 10**6, 3)),
    lambda: np.matrix([[1, 2], [3, 4]], np.uint8),
    lambda: np.ma.masked_array(np.zeros((4, 4), np.uint8), mask=True),
    lambda: np.zeros((4, 4, 3), np.uint8).view(OddArray),
    lambda: np.zeros(4, [("r", "u1")]),
    lambda: np.full((4, 4), "text"),
)
VALUES = SCALARS + TEXTS + OBJECTS + ARRAYS


def value(chance: random.Random) -> Any:
    """One of them."""
    return chance.choice(VALUES)()
