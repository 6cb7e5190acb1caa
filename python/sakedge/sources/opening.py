"""Which source an address means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import TypeAlias

from sakedge.errors import SourceError
from sakedge.images import ImageLike
from sakedge.sources.base import Source
from sakedge.sources.files import SUFFIXES, Files
from sakedge.sources.video import open_video

SourceLike: TypeAlias = "str | os.PathLike[str] | int | Sequence[ImageLike]"


def open_source(source: SourceLike) -> Source:
    """Opens a source.

    Args:
        source: A folder (its images, sorted, not those in subfolders), a glob, an image, a video
            file, a URL (`rtsp://`, `http://` …), a camera's index (`0` or `"0"`), or a list of
            images.

    Raises:
        SourceError: It does not exist, cannot be opened, or has no image in it.
    """
    if isinstance(source, int):
        return open_video(source)
    if isinstance(source, Sequence) and not isinstance(source, str):
        return _files(list(source), "the list")
    text = os.fspath(source)
    if "://" in text:
        return open_video(text)
    path = Path(text)
    if path.is_dir():
        return _files(_images_in(path), f"the folder {text}")
    if path.is_file():
        return Files([text]) if path.suffix.lower() in SUFFIXES else open_video(text)
    if text.isdecimal():
        return open_video(int(text))
    if has_magic(text):
        folder = Path(path.anchor)
        found = sorted(str(p) for p in folder.glob(str(path.relative_to(folder))) if p.is_file())
        return _files(found, f"the pattern {text}")
    raise SourceError(
        f"no such source: {text}",
        expected="a folder, a glob, an image, a video file, a URL or a camera's index",
        remedy="Check the path",
    )


def _images_in(folder: Path) -> list[str]:
    try:
        return sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise SourceError(
            f"cannot list {folder}",
            got=error.strerror or str(error),
            remedy="Check its permissions",
        ) from error


def _files(images: Sequence[ImageLike], name: str) -> Files:
    if not images:
        raise SourceError(
            f"{name} has no image in it",
            expected=f"at least one file ending in {', '.join(SUFFIXES)}",
        )
    return Files(images)
