"""Words as planes of bytes: what a general compressor finds much more in.

Of two versions of a weight the high bytes hardly differ and the low ones are noise. So words are
subtracted as integers, the sign goes into the lowest bit, and all highest bytes come first, then
all second ones, and so on.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
