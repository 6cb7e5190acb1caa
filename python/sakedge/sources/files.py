"""Image files, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from sakedge.errors import ImageError, StorageError
from sakedge.images import ImageLike, read
from sakedge.sources.base import Frame

SUFFIXES = (
    ".bmp",
    ".gif",
    ".jp2",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
"""What a folder is searched for."""


class Files:
    """Images from a list of paths; arrays and PIL images may be among them."""

    dropped = 0

    def __init__(self, images: Sequence[ImageLike]) -> None:
        self._images = images
        self._closed = False

    def __len__(self) -> int:
        return len(self._images)

    @property
    def inputs(self) -> list[str]:
        """Paths of those that are files."""
        paths = (each for each in self._images if isinstance(each, str | os.PathLike))
        return [os.fspath(path) for path in paths]

    def __iter__(self) -> Iterator[Frame]:
        for i, image in enumerate(self._images):
            if self._closed:
                return
            name = f"image#{i:06d}"
            try:
                picture = read(image)
                yield Frame(picture.source or name, picture)
            except (ImageError, StorageError) as error:
                yield Frame(name if hasattr(image, "shape") else str(image), error=error)

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True
