"""An image to try a student on when the caller gives none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.assets import samples
from sakedge.images.picture import ImageLike
from sakedge.images.reading import read


def fitted(image: ImageLike, size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image stretched to a student's input size, so that no fitting is left to do.

    Returns:
        RGB uint8 [H, W, 3].

    Raises:
        ImageError, StorageError: It cannot be read.
    """
    picture = Image.fromarray(read(image).as_uint8())
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def example(size: tuple[int, int]) -> NDArray[np.uint8]:
    """The first sample image, or, where it is missing, soft blobs of colour with grain.

    Returns:
        RGB uint8 [H, W, 3].
    """
    for sample in samples():
        return fitted(sample, size)
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (size[0] // 16 + 1, size[1] // 16 + 1, 3), np.uint8)
    soft = Image.fromarray(coarse).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 8, (*size, 3))
    return np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8)
