"""From bytes to samples of any number of bits, and from samples to black and white."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakedge.images.codecs.base import Unsupported
from sakedge.images.codecs.tiff.tags import ByteOrder

_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_HORIZONTAL, _FLOATING = 2, 3  # predictors
_MOST_PACKED = 24


class Kind(NamedTuple):
    """What a sample is.

    Attributes:
        bits: Its bits.
        form: 1 unsigned, 2 signed, 3 floating-point.
        order: Byte order, `<` or `>`.
        predictor: How neighbours are subtracted: 1 not, 2 as numbers, 3 as bytes of floats.
        span: The values of black and white that the file declares; None for those of its bits.
    """

    bits: int
    form: int
    order: ByteOrder
    predictor: int
    span: tuple[float, float] | None

    @property
    def stored(self) -> np.dtype[Any]:
        """The type that samples are unpacked to.

        Raises:
            Unsupported: There are no such samples.
        """
        letter = {_UNSIGNED: "u", _SIGNED: "i", _FLOAT: "f"}.get(self.form)
        aligned = self.bits in ((16, 32, 64) if letter == "f" else (8, 16, 32, 64))
        if letter and aligned:
            return np.dtype(f"{self.order}{letter}{self.bits // 8}")
        if letter != "u" or not 1 <= self.bits <= _MOST_PACKED:
            names = {"u": "unsigned", "i": "signed", "f": "floating-point"}
            raise Unsupported(f"TIFF of {self.bits}-bit {names.get(letter or '', 'odd')} samples")
        return np.dtype(np.uint32)

    @property
    def shown(self) -> type[np.generic]:
        """The type of pixels that keeps their bits."""
        if self.form != _UNSIGNED or self.span is not None or self.bits > 16:
            return np.float32
        return np.uint8 if self.bits <= 8 else np.uint16

    @property
    def white(self) -> float:
        """The number of a white pixel of the type `shown`."""
        return 1 if self.shown is np.float32 else 255 if self.shown is np.uint8 else 65535

    def unpack(self, rows: NDArray[np.uint8], count: int, channels: int) -> NDArray[Any]:
        """Samples of rows of bytes.

        Args:
            rows: uint8 [..., bytes].
            count: Samples in a row.
            channels: How many of them make a pixel.

        Returns:
            [..., pixels, channels].
        """
        stored = self.stored
        if stored.itemsize * 8 != self.bits:
            return self._packed(rows, count).reshape(*rows.shape[:-1], -1, channels)
        rows = np.ascontiguousarray(rows[..., : count * stored.itemsize])
        if self.predictor == _FLOATING and self.form == _FLOAT:
            return _undo_floating(rows, stored.itemsize, channels)
        shape = (*rows.shape[:-1], -1, channels)
        if self.predictor == _HORIZONTAL:
            numbers: np.dtype[Any] = np.dtype(f"u{stored.itemsize}")
            steps = rows.view(numbers.newbyteorder(self.order)).reshape(shape)
            return np.cumsum(steps, axis=-2, dtype=numbers).view(stored.newbyteorder("="))
        return rows.view(stored).reshape(shape)

    def _packed(self, rows: NDArray[np.uint8], count: int) -> NDArray[Any]:
        """Unpacks samples that do not end with a byte, highest bit first."""
        if self.predictor != 1:
            raise Unsupported(f"TIFF of {self.bits}-bit samples with a predictor")
        first = np.arange(count) * self.bits
        at, shift = first // 8, 32 - self.bits - first % 8
        if self.bits == 24 and self.order == "<":
            rows = rows.reshape(*rows.shape[:-1], -1, 3)[..., ::-1].reshape(rows.shape)
        padded = np.concatenate([rows, np.zeros((*rows.shape[:-1], 4), np.uint8)], axis=-1)
        window = np.zeros((*rows.shape[:-1], count), np.uint32)
        for i in range(4):
            window |= padded[..., at + i].astype(np.uint32) << np.uint32(24 - 8 * i)
        window >>= shift.astype(np.uint32)
        window &= np.uint32((1 << self.bits) - 1)
        return window

    def scaled(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Samples as pixels: black is 0, white is 255, 65535 or 1."""
        if self.shown is np.float32:
            with np.errstate(over="ignore", invalid="ignore"):
                if self.form != _FLOAT or self.span is not None:
                    low, high = self.span or (0.0, self._largest)
                    samples = (samples.astype(np.float64) - low) / (high - low)
                return samples.astype(np.float32)
        largest, white = int(self._largest), int(self.white)
        if largest == white:
            return samples.astype(self.shown)
        scaled = (samples.astype(np.uint32) * white + largest // 2) // largest
        return scaled.astype(self.shown)

    @property
    def _largest(self) -> float:
        return float(2 ** (self.bits - (self.form == _SIGNED)) - 1)


def _undo_floating(rows: NDArray[np.uint8], size: int, channels: int) -> NDArray[Any]:
    """Undoes the predictor of floats: bytes by significance, each less its neighbour's."""
    bytes_ = np.cumsum(rows.reshape(*rows.shape[:-1], -1, channels), axis=-2, dtype=np.uint8)
    planes = bytes_.reshape(*rows.shape[:-1], size, -1)
    values = np.ascontiguousarray(planes.swapaxes(-1, -2)).view(f">f{size}")
    return values.reshape(*rows.shape[:-1], -1, channels)
