"""Changes somewhere inside nested arguments: numbers, arrays, sequences, objects."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.fuzz.values import value

WHOLE = (0, 1, -1, 2, 3, 7, 255, 257, 4097, 1 << 20, (1 << 20) + 1, 1 << 31, 1 << 35, 1 << 62)
FRACTIONS = (0.0, -0.0, -1.0, 1e-300, 1e300, -1e300, float("nan"), float("inf"), float("-inf"))
NAMES = ("labels", "probability", "two_class", "normals", "scalar", "f32", "bf16", "s8", "", "\0")
DTYPES = ("f8", "f2", ">f4", "i4", "u1", "c8", "O")


def mutated(argument: Any, chance: random.Random, others: Sequence[Any]) -> Any:
    """The argument with one thing in it changed, or another in its place.

    Args:
        argument: Numbers, texts, arrays and objects, in dicts, lists and tuples.
        chance: Decides what.
        others: Objects that may take an object's place.
    """
    if chance.random() < 0.05:
        return value(chance)
    if isinstance(argument, dict) and argument:
        key = chance.choice(list(argument))
        return argument | {key: mutated(argument[key], chance, others)}
    if isinstance(argument, (list, tuple)):
        return type(argument)(_sequence(list(argument), chance, others))
    if _is_small(argument):
        return _array(argument, chance)
    if isinstance(argument, bool):
        return not argument
    if isinstance(argument, int):
        return chance.choice((argument + 1, argument - 1, -argument, *WHOLE))
    if isinstance(argument, float):
        return chance.choice((-argument, argument * 3, *FRACTIONS))
    if isinstance(argument, str):
        return chance.choice(NAMES)
    return chance.choice((None, *others))


def _sequence(items: list[Any], chance: random.Random, others: Sequence[Any]) -> list[Any]:
    if not items or chance.random() < 0.2:
        return chance.choice(
            (
                items[:-1],
                items[1:],
                items * 2,
                items * 40,  # 40 * 40 arrays take pybind11 a second to show in its refusal
                items[::-1],
                [],
                [None, *items],
                chance.sample(items, len(items)),
            )
        )
    place = chance.randrange(len(items))
    items[place] = mutated(items[place], chance, others)
    return items


def _array(array: NDArray[Any], chance: random.Random) -> Any:
    size = chance.choice((0, 1, 2, 17))
    odd = np.zeros(array.nbytes + 1, np.uint8)
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]) if array.ndim else 2, array.dtype)
    full = array.copy()
    full.reshape(-1)[: chance.choice((1, full.size))] = chance.choice((np.nan, np.inf, 3e38, 0))
    return chance.choice(
        (
            array[:-1] if array.ndim else array,
            array[None],
            array.reshape(-1),
            array.T,
            array[::-1] if array.ndim else array,
            wide[..., ::2],
            np.concatenate([array, array]) if array.ndim else array,
            np.resize(array, (*array.shape[:-1], size)),
            np.resize(array, (size, *array.shape[1:])),
            np.broadcast_to(array.dtype.type(1), array.shape),
            np.frombuffer(odd.data, array.dtype, array.size, 1).reshape(array.shape),
            full,
            full,
            np.zeros((0, 1 << chance.choice((20, 40, 58))), array.dtype),
            np.zeros((1 << chance.choice((20, 40, 58)), 0), array.dtype),
            array.astype(chance.choice(DTYPES)),
        )
    )


def _is_small(argument: Any) -> bool:
    """Whether it is an array of float32, and none of the large ones made here."""
    return (
        type(argument) is np.ndarray
        and argument.dtype == np.float32
        and max(argument.shape, default=0) < 1 << 16
    )
