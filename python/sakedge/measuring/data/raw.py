"""Reads the files that ground truth comes in: PNG, NumPy and MATLAB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.errors import DatasetError, SakedgeError
from sakedge.images import read

_FLAT = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")
"""Modes of PIL's with one whole number per pixel; P is an index into a palette."""


def read_values(path: Path) -> NDArray[Any]:
    """One number per pixel, [h, w]: of a PNG its grey value or its index into a palette.

    Raises:
        DatasetError: It is no such file, or is damaged.
    """
    if path.suffix == ".npy":
        values = _read_npy(path)
        return values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    with _reading(path), Image.open(path, formats=["PNG"]) as image:
        if image.mode not in _FLAT:
            raise DatasetError(
                f"{path} has colours where one number per pixel is needed",
                expected="a grey PNG or one with a palette",
                got=f"a PNG of mode {image.mode}",
            )
        return np.asarray(image).astype(np.int32)


def read_vectors(path: Path) -> NDArray[Any]:
    """Three numbers per pixel, [h, w, 3]: of a PNG its colours, from -1 (black) to 1.

    Raises:
        DatasetError: It is no such file, or is damaged.
    """
    if path.suffix == ".npy":
        return _read_npy(path)
    with _reading(path):
        pixels = read(path).pixels
        vectors: NDArray[Any] = pixels / np.float32(np.iinfo(pixels.dtype).max) * 2 - 1
        return vectors


def read_mat(path: Path) -> Mapping[str, Any]:
    """The variables of a MATLAB file.

    Raises:
        DatasetError: It is no such file, or is damaged.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DatasetError(
            f"reading {path} needs SciPy", remedy="Run: pip install 'sakedge[evaluate]'"
        ) from error
    with _reading(path):
        variables: Mapping[str, Any] = loadmat(path)
        return variables


def _read_npy(path: Path) -> NDArray[Any]:
    with _reading(path), path.open("rb") as file:
        values: Any = np.load(file, allow_pickle=False)
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
            raise DatasetError(f"{path} holds no array of numbers")
        return values


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What any reader raises of a damaged file, as an error of ours."""
    try:
        yield
    except DatasetError:
        raise
    except SakedgeError as error:
        raise DatasetError(f"cannot read ground truth: {error.problem}", got=error.got) from error
    except Exception as error:  # PIL, NumPy and SciPy raise anything of a damaged file
        raise DatasetError(
            f"cannot read ground truth from {path}",
            expected=f"a {path.suffix.removeprefix('.') or 'PNG'} file",
            got=f"{type(error).__name__}: {error}",
            remedy="Write the file again",
        ) from error
