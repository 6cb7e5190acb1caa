"""What is kept of a layer's inputs while calibration images run: never the inputs themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_VALUES = 1 << 18
"""Kept of each layer, about: 1 MiB."""
_FEWEST = 512
"""Tokens that are kept of each layer at least."""
_LARGEST_SHARE = 4
"""One in so many of the tokens kept of an image are its largest: outliers are in few."""


class Observer:
    """Watches the inputs of one layer: each channel's range, and a sample of tokens.

    Of each image it keeps the tokens that hold the largest values, each for itself, and some of the
    others, each of which stands for several. So rare outliers are there, and count for what they
    are.

    Args:
        channels: Of the input.
        images: How many images will be seen.

    Attributes:
        low: Smallest value of each channel, float32 [channels].
        high: Largest value of each channel, float32 [channels].
    """

    def __init__(self, channels: int, images: int) -> None:
        self.low = np.full(channels, np.inf, np.float32)
        self.high = np.full(channels, -np.inf, np.float32)
        self._per_image = -(-max(_FEWEST, _VALUES // channels) // images)
        self._rows: list[Floats] = []
        self._weights: list[NDArray[np.float64]] = []
        self._random = np.random.default_rng(0)

    def see(self, tokens: Floats) -> None:
        """Takes one image's input, [tokens, channels]."""
        np.minimum(self.low, tokens.min(axis=0), out=self.low)
        np.maximum(self.high, tokens.max(axis=0), out=self.high)
        count = min(self._per_image, len(tokens))
        order = np.argsort(-np.abs(tokens).max(axis=1))
        top = order[: -(-count // _LARGEST_SHARE)]
        rest = order[len(top) :]
        some = self._random.permutation(rest)[: count - len(top)]
        self._rows.append(tokens[np.concatenate((top, some))])
        each = len(rest) / len(some) if len(some) else 0.0
        self._weights.append(np.repeat((1.0, each), (len(top), len(some))))

    @property
    def largest(self) -> Floats:
        """Largest magnitude of each channel, float32 [channels]."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def sample(self) -> tuple[Floats, NDArray[np.float64]]:
        """Tokens [n, channels], and how many of the tokens seen each stands for, [n]."""
        return np.concatenate(self._rows), np.concatenate(self._weights)
