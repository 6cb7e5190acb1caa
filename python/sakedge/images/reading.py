"""Reading any image that a caller hands over, by stated rules.

| given | becomes |
|---|---|
| uint8 | used as it is |
| uint16 | divided by 65535 |
| float | must be finite and in 0…1 |
| grey ([H, W] or [H, W, 1]) | the same in all three channels |
| four channels | the fourth (alpha) is dropped, as OpenCV's and Pillow's RGB conversions do |
| a file | its EXIF orientation is applied; of several frames the first is read |
| a PIL image or an array | taken as it stands |
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sakedge.errors import ImageError, OptionError, StorageError
from sakedge.images.picture import COLORS, Color, ImageLike, Picture


def read(image: ImageLike, color: Color = "rgb") -> Picture:
    """Reads one image.

    Args:
        image: A path, an array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], or a PIL image.
        color: Channel order of an array: `rgb`, or `bgr` for OpenCV's.

    Raises:
        ImageError: It is not an image, is damaged, empty, too large to decode, or of an unknown
            layout.
        StorageError: The file cannot be opened.
        OptionError: `color` is neither, or is `bgr` for something that is not an array.
    """
    if color not in COLORS:
        raise OptionError("unknown color order", expected=" or ".join(COLORS), got=repr(color))
    if isinstance(image, Picture):
        return image
    if isinstance(image, np.ndarray):
        return Picture(_from_array(image, color))
    if color != "rgb":
        raise OptionError(
            "color='bgr' is for arrays only",
            expected="color='rgb', as files and PIL images have their own order",
            got=f"color='bgr' with a {type(image).__name__}",
        )
    if isinstance(image, Image.Image):
        try:
            return Picture(_from_pillow(image, "the PIL image"))
        except (OSError, SyntaxError, ValueError) as error:  # opened lazily, or an exotic mode
            raise _damaged("the PIL image", error) from error
    if isinstance(image, (str, os.PathLike)):
        return Picture(_from_file(Path(image)), source=os.fspath(image))
    raise ImageError(
        "not an image",
        expected="a path, an array of height x width x 3, a PIL image, or a list of those",
        got=type(image).__name__,
    )


def _from_file(path: Path) -> NDArray[Any]:
    try:
        stream = path.open("rb")
    except IsADirectoryError as error:
        raise StorageError(
            f"{path} is a directory",
            expected="an image file",
            remedy="Use student.stream(directory) for every image in it",
        ) from error
    except OSError as error:
        raise StorageError(
            f"cannot open {path}",
            expected="a readable image file",
            got=error.strerror or str(error),
            remedy="Check the path and its permissions",
        ) from error
    except ValueError as error:  # a NUL byte in the path
        raise StorageError("cannot open the image", expected="a path", got=repr(path)) from error
    with stream:
        try:
            image = Image.open(stream)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(path) from error
        except UnidentifiedImageError as error:
            empty = os.fstat(stream.fileno()).st_size == 0
            raise ImageError(
                f"{path} is empty" if empty else f"{path} is not an image",
                expected="a file of a format that Pillow reads, e.g. PNG, JPEG, TIFF, BMP or WebP",
                got="0 bytes" if empty else "something else",
            ) from error
        except Exception as error:  # a hostile header makes Pillow's plugins raise anything
            raise _damaged(path, error) from error
        try:
            with image:
                return _from_pillow(ImageOps.exif_transpose(image), str(path))
        except ImageError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(path) from error
        except Exception as error:  # and so does a damaged body
            raise _damaged(path, error) from error


def _damaged(path: Path | str, error: Exception) -> ImageError:
    return ImageError(
        f"{path} is truncated or damaged",
        expected="a whole image",
        got=str(error) or type(error).__name__,
        remedy="Copy or record the file again",
    )


def _too_large(path: Path) -> ImageError:
    limit = Image.MAX_IMAGE_PIXELS or 0
    return ImageError(
        f"{path} would decode to more pixels than is safe",
        expected=f"at most {2 * limit / 1e6:.0f} megapixels, checked before anything is decoded",
        got="a header that announces more",
        remedy="If you trust the file, raise PIL.Image.MAX_IMAGE_PIXELS (the limit is twice that)",
    )


def _from_pillow(image: Image.Image, name: str) -> NDArray[Any]:
    """Converts to RGB [H, W, 3]; grey of 16 bits or floats keeps its depth."""
    if 0 in image.size:
        raise _empty((image.height, image.width), name)
    if image.mode.startswith("I;16"):
        return _grey(np.asarray(image).astype(np.uint16))
    if image.mode == "I":
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise ImageError(
                f"{name} holds integers beyond 16 bits",
                expected="grey values in 0…65535",
                got=f"{grey.min()}…{grey.max()}",
            )
        return _grey(grey.astype(np.uint16))
    if image.mode == "F":
        return _grey(_checked_float(np.asarray(image), name))
    return np.array(image.convert("RGB"))


def _from_array(array: NDArray[Any], color: Color) -> NDArray[Any]:
    """Checks and copies an array; the copy lets a camera reuse its buffer at once."""
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
    if 0 in array.shape:
        raise _empty(array.shape[:2], "the array")
    if np.issubdtype(array.dtype, np.floating):
        array = _checked_float(array, "the array")
    elif array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise ImageError(
            "not the dtype of an image",
            expected="uint8, uint16, or float in 0…1",
            got=str(array.dtype),
            remedy="Convert it, e.g. image.astype(numpy.uint8)",
        )
    if channels == 1:
        return _grey(array.reshape(array.shape[:2]))
    order = [0, 1, 2] if color == "rgb" else [2, 1, 0]
    return np.stack([array[..., c] for c in order], axis=-1).astype(array.dtype.newbyteorder("="))


def _checked_float(array: NDArray[Any], name: str) -> NDArray[np.float32]:
    if not np.isfinite(array).all():
        raise ImageError(f"{name} holds NaN or infinity", expected="finite values in 0…1")
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        raise ImageError(
            f"{name} holds floats outside 0…1",
            expected="floats in 0…1",
            got=f"{low:g}…{high:g}",
            remedy="Divide by the largest value a pixel can have, or pass uint8 or uint16",
        )
    return array.astype(np.float32)


def _grey(array: NDArray[Any]) -> NDArray[Any]:
    native = array.astype(array.dtype.newbyteorder("="))
    return np.repeat(native[..., np.newaxis], 3, axis=2)


def _empty(size: Sequence[int], name: str) -> ImageError:
    return ImageError(
        f"{name} has no pixels",
        expected="at least one row and one column",
        got=f"{size[0]} x {size[1]} (height x width)",
    )
