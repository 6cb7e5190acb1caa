"""Calibration images as the student sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import OptionError, shown
from sakedge.format import Manifest
from sakedge.images import ImageLike, Picture, read
from sakedge.images.fit import Normalizer, letterbox, pad, place
from sakedge.images.tiling import Grid
from sakedge.sources import SourceLike, open_source

_TILES = 4
"""Taken of a large image that the student cuts into tiles, spread over it."""


@dataclass(frozen=True)
class Images:
    """Image files, read one at a time.

    Attributes:
        paths: Where they lie.
        largest: Height and width that they may have at most; None for any.
    """

    paths: Sequence[ImageLike]
    largest: tuple[int, int] | None

    @classmethod
    def open(cls, source: SourceLike, manifest: Manifest) -> Images:
        """Finds the images of a folder, a glob, or a list.

        Raises:
            SourceError: There is none.
            OptionError: It is a video, a camera, or an iterator, whose images come only once.
        """
        paths: Sequence[Any] = source if isinstance(source, (list, tuple)) else ()
        paths = paths or open_source(source).inputs
        if not paths:
            raise OptionError(
                "the calibration images are not a folder",
                expected="a folder of images, a glob, or a list of images",
                got=shown(source),
            )
        pads = manifest.preprocess.fit == "pad"
        return cls(paths, manifest.input_size if pads else None)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> Picture:
        """Reads one.

        Raises:
            ImageError: It is damaged, or larger than the student's input.
            StorageError: It cannot be opened.
        """
        return read(self.paths[i], largest=self.largest)

    def some(self, indices: Sequence[int]) -> Images:
        """Those with these numbers."""
        return Images([self.paths[i] for i in indices], self.largest)


def inputs_of(picture: Picture, manifest: Manifest) -> Iterator[NDArray[np.float32]]:
    """The normalised inputs of a picture, float32 [1, 3, H, W]: one, or some of its tiles."""
    fit, size = manifest.preprocess.fit, manifest.input_size
    normalize = Normalizer(manifest.preprocess)
    if fit == "letterbox":
        yield normalize.batch([letterbox(picture, size)])
        return
    if fit == "pad":
        yield normalize.batch([pad(picture, size)])
        return
    grid = Grid.over(picture.size, size)
    tiles = [tile for row in range(len(grid.rows.starts)) for tile in grid.row(row)]
    for i in np.unique(np.linspace(0, len(tiles) - 1, _TILES).round().astype(int)):
        yield normalize.batch([place(picture.pixels[tiles[i].inside(grid)], size)])
