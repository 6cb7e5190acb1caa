"""Image files, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from mimetypes import guess_type
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from sakedge.errors import SakedgeError, SourceError
from sakedge.images import ImageLike, Picture, read
from sakedge.images.formats import format_of
from sakedge.logs import LOG
from sakedge.sources.address import display_name, is_url
from sakedge.sources.base import Frame

Reader: TypeAlias = Callable[[ImageLike], Picture]
"""Reads an image as `sakedge.images.read` does, within the limits of whoever opens the source."""

_UNMENTIONED = ("thumbs.db", "desktop.ini")
"""What Windows puts into folders; hidden files are not mentioned either."""
_NAMED = 5
"""Skipped files that a message names."""


class Files:
    """Images, one after the other: paths, arrays, PIL images.

    Args:
        images: The images; an iterator is asked for each when it is wanted.
        skipped: Files beside them that are no images.
        read: Reads an image.
    """

    dropped = 0

    def __init__(
        self, images: Iterable[ImageLike], skipped: Sequence[str] = (), read: Reader = read
    ) -> None:
        self._images = images
        self._read = read
        self._closed = False
        self.skipped = tuple(skipped)

    @property
    def inputs(self) -> list[str]:
        """Paths of those that are files; of an iterator's nothing is known."""
        images = self._images if isinstance(self._images, Sequence) else ()
        return [os.fspath(each) for each in images if isinstance(each, (str, os.PathLike))]

    def __iter__(self) -> Iterator[Frame]:
        for i, image in enumerate(self._images):
            if self._closed:
                return
            yield self._frame(image, f"image#{i:06d}")

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True

    def _frame(self, image: ImageLike, name: str) -> Frame:
        if isinstance(image, (str, os.PathLike)):
            with suppress(Exception):  # of a path that raises when it is looked at; `read` says so
                name = display_name(os.fspath(image))
        try:
            if isinstance(image, str) and is_url(image):
                raise SourceError(
                    f"{name} is the address of a stream, in a list of images",
                    remedy="Open each stream alone",
                )
            picture = self._read(image)
        except SakedgeError as error:
            return Frame(name, error=error)
        return Frame(picture.source or name, picture)


def images_of(paths: Iterable[Path], place: str, read: Reader) -> Files:
    """The images among files, by their content.

    A file that is none, but is called like one, is kept: it is empty, damaged, or of a format that
    is not read, and reading it says so. What else there is gets a warning.

    Args:
        paths: Files and folders, in the order wanted.
        place: Where they were found, for messages.
        read: Reads an image.

    Raises:
        SourceError: There is no image.
    """
    images: list[ImageLike] = []
    skipped: list[str] = []
    for path in paths:
        if path.is_dir() or _is_unmentioned(path):
            continue
        (images if _is_image(path) else skipped).append(str(path))
    if not images:
        raise SourceError(
            f"{place} has no image in it",
            expected="at least one image file",
            got=name_some(skipped) if skipped else None,
        )
    if skipped:
        LOG.warning("skipped in %s, being no images: %s", place, name_some(skipped))
    return Files(images, skipped, read)


def name_some(paths: Sequence[str]) -> str:
    """A list of files for a message, cut when it is long."""
    names = ", ".join(Path(path).name for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return f"{names} and {more} more" if more > 0 else names


def _is_image(path: Path) -> bool:
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):  # reading a pipe would not come back
            return False
        if not status.st_size:  # nor would reading some of the files of /proc
            return _claims_to_be_image(path)
        with path.open("rb") as file:
            return format_of(file) is not None or _claims_to_be_image(path)
    except (OSError, SakedgeError):
        return _claims_to_be_image(path)


def _claims_to_be_image(path: Path) -> bool:
    return str(guess_type(path.name, strict=False)[0]).startswith("image/")


def _is_unmentioned(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _UNMENTIONED
