"""What every image is checked for, wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import ImageError, SakedgeError, shown
from sakedge.images.codecs.base import Unsupported


def checked_floats(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    """Returns pixels whose floats are all finite and in 0…1.

    Raises:
        ImageError: They are not.
    """
    if not np.issubdtype(pixels.dtype, np.floating):
        return pixels
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN passes through both
        raise ImageError(f"{name} holds NaN or infinity", expected="finite values in 0…1")
    if low < 0 or high > 1:
        raise ImageError(
            f"{name} holds floats outside 0…1",
            expected="floats in 0…1",
            got=f"{low:g}…{high:g}",
            remedy="Divide by the largest value a pixel can have, or pass uint8 or uint16",
        )
    return pixels


def check_picture(pixels: object) -> None:
    """Checks the pixels of a picture that a caller made.

    Raises:
        ImageError: They are not those of a picture.
    """
    if (
        type(pixels) is not np.ndarray  # a class of its own may override anything
        or pixels.dtype not in (np.uint8, np.uint16, np.float32)
        or pixels.ndim != 3
        or pixels.shape[2] != 3
    ):
        raise ImageError(
            "the picture holds no pixels of a picture",
            expected="RGB [H, W, 3] of uint8, uint16 or float32",
            got=f"{getattr(pixels, 'dtype', type(pixels).__name__)} of shape "
            f"{getattr(pixels, 'shape', None)}",
            remedy="Make pictures with sakedge.images.read",
        )
    checked_floats(pixels, "the picture")


def three_channels(pixels: NDArray[Any]) -> NDArray[Any]:
    """Grey [H, W] as RGB [H, W, 3], one memory for all channels; RGB as it is."""
    if pixels.ndim == 3:
        return pixels
    return np.broadcast_to(pixels[..., np.newaxis], (*pixels.shape, 3))


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Makes an `ImageError` that names the image of anything that a decoder raises.

    Pillow's plugins raise any type for hostile files.
    """
    try:
        yield
    except SakedgeError:
        raise
    except Unsupported as error:
        raise ImageError(
            f"{name} is an image of a kind that is not read",
            expected="one of the kinds that docs/python-api.md lists",
            got=str(error),
            remedy="Convert it, e.g. to an 8- or 16-bit PNG",
        ) from error
    except MemoryError as error:
        raise _too_little_memory(name) from error
    except Exception as error:
        raise ImageError(
            f"{name} is truncated or damaged",
            expected="a whole image",
            got=_said(error),
            remedy="Copy or record the file again",
        ) from error


@contextmanager
def calling(name: str, expected: str) -> Iterator[None]:
    """Makes an `ImageError` of anything that an object of a caller's own class raises."""
    try:
        yield
    except SakedgeError:
        raise
    except MemoryError as error:
        raise _too_little_memory(name) from error
    except Exception as error:
        raise ImageError(f"{name} cannot be read", expected=expected, got=shown(error)) from error


def _said(error: Exception) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:  # of a caller's own class
        return shown(error)


def _too_little_memory(name: str) -> ImageError:
    return ImageError(
        f"{name} needs more memory than there is",
        remedy="Use a smaller image, or tiles of it",
    )
