"""Arrays as images: checked, and copied so that a camera can reuse its buffer at once."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import ImageError
from sakedge.images.checks import checked_floats
from sakedge.images.limits import Limits
from sakedge.images.picture import Color


def from_array(given: NDArray[Any], color: Color, limits: Limits) -> NDArray[Any]:
    """A copy of an array's pixels, grey [H, W] or RGB [H, W, 3].

    Raises:
        ImageError: Its shape, type, size or values are not those of an image.
    """
    array = _plain(given)
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4):
        planar = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        raise ImageError(
            "not the shape of an image",
            expected="height x width x 3 (or x 1, x 4, or height x width)",
            got=f"shape {' x '.join(map(str, array.shape)) or 'of a scalar'}",
            remedy="Move the channels last: image.transpose(1, 2, 0)"
            if planar
            else "Pass a list of images for a batch"
            if array.ndim == 4
            else None,
        )
    limits.check((array.shape[0], array.shape[1]), "the array")
    copy = np.empty(array.shape[:2] if channels == 1 else (*array.shape[:2], 3), _dtype(array))
    if channels > 1:
        array = array[..., :3] if color == "rgb" else array[..., 2::-1]
    with np.errstate(over="ignore"):  # to infinity, which is refused
        copy[...] = array.reshape(copy.shape)
    # Whoever else writes to the array cannot change what was checked.
    return checked_floats(copy, "the array")


def _plain(given: NDArray[Any]) -> NDArray[Any]:
    """The array without what its class makes of it: subclasses may override anything."""
    if _is_masked(given):
        raise ImageError(
            "the array has masked pixels",
            expected="a value for each pixel",
            remedy="Fill them: image.filled(0)",
        )
    return np.ndarray.view(given, np.ndarray)


def _is_masked(given: NDArray[Any]) -> bool:
    # Importing numpy.ma takes milliseconds, and without it nobody can have made such an array.
    masked = sys.modules.get("numpy.ma")
    return (
        masked is not None
        and isinstance(given, masked.MaskedArray)
        and bool(masked.is_masked(given))
    )


def _dtype(array: NDArray[Any]) -> type[np.generic]:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f":
        return np.float32
    if kind == "u" and size <= 2:
        return np.uint8 if size == 1 else np.uint16
    raise ImageError(
        "not the dtype of an image",
        expected="uint8, uint16, or float in 0…1",
        got=str(array.dtype),
        remedy="Convert it, e.g. image.astype(numpy.uint8)",
    )
