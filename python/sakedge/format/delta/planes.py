"""Words as planes of bytes: what a general compressor finds much more in.

Of two versions of a weight the high bytes hardly differ and the low ones are noise. So words are
subtracted as integers, the sign goes into the lowest bit, and all highest bytes come first, then
all second ones, and so on. Of int8 few weights differ: for them the places are kept instead.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import DeltaError

Width = Literal[1, 2, 4]
"""Bytes of a word."""

_Buffer = bytes | memoryview


def split(content: _Buffer, width: Width) -> memoryview:
    """The planes of words, the highest bytes first."""
    return _bytes(np.frombuffer(content, np.uint8).reshape(-1, width).T[::-1])


def join(planes: _Buffer, width: Width) -> memoryview:
    """The words of planes."""
    return _bytes(_joined(planes, width))


def differences(old: _Buffer, new: _Buffer, width: Width) -> memoryview:
    """The planes of `new - old`, word by word, modulo the word's size; as long as each of them."""
    delta = _words(new, width) - _words(old, width)
    # Zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 …, so that a small difference has small bytes.
    sign = np.negative(delta >> delta.dtype.type(8 * width - 1))
    delta <<= delta.dtype.type(1)
    delta ^= sign
    return split(_bytes(delta), width)


def add(old: _Buffer, planes: _Buffer, width: Width) -> memoryview:
    """The words whose differences from `old` these planes are."""
    words = _joined(planes, width)
    one = words.dtype.type(1)
    sign = np.negative(words & one)
    words >>= one
    words ^= sign
    words += _words(old, width)
    return _bytes(words)


def sparse_differences(old: _Buffer, new: _Buffer) -> bytes:
    """The differences of bytes as pairs: how many to leave as they are, and what the next gains.

    All of the first come before all of the second. A pair that gains 0 is a pause, where more are
    left than a byte can say.
    """
    gains = _words(new, 1) - _words(old, 1)
    places = np.flatnonzero(gains)
    left = np.diff(places, prepend=-1) - 1
    ends = np.cumsum(left // _MOST_LEFT + 1) - 1
    pairs = np.zeros((2, 1 + ends[-1] if ends.size else 0), np.uint8)
    pairs[0], pairs[0, ends], pairs[1, ends] = _MOST_LEFT - 1, left % _MOST_LEFT, gains[places]
    return pairs.tobytes()


_MOST_LEFT = 256
"""Bytes that a pause stands for: 255 and the next, which gains 0."""


def add_sparse(old: _Buffer, pairs: _Buffer) -> memoryview:
    """The bytes whose differences from `old` these pairs are.

    Raises:
        DeltaError: They go on beyond its end.
    """
    left, gains = np.frombuffer(pairs, np.uint8).reshape(2, -1)
    places = np.cumsum(left.astype(np.int32) + 1, dtype=np.int32) - 1
    if places.size and places[-1] >= len(old):
        raise DeltaError(
            "a part of the delta goes on beyond its end",
            expected=f"{len(old)} bytes",
            got=f"a change of byte {places[-1]}",
            remedy="Get the delta again",
        )
    made = _words(old, 1).copy()
    made[places] += gains
    return _bytes(made)


def _joined(planes: _Buffer, width: Width) -> NDArray[Any]:
    first, *others = np.frombuffer(planes, np.uint8).reshape(width, -1)
    words: NDArray[Any] = first.astype(f"<u{width}")
    for plane in others:
        words <<= words.dtype.type(8)
        words |= plane
    return words


def _words(content: _Buffer, width: Width) -> NDArray[Any]:
    return np.frombuffer(content, f"<u{width}")


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
