"""Which source something is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence, Set
from glob import glob, has_magic
from pathlib import Path
from typing import Any, TypeAlias

from sakedge.errors import OptionError, SourceError, shown
from sakedge.images import ImageLike, is_one_image, read
from sakedge.images.formats import format_of
from sakedge.sources.address import display_name, is_url
from sakedge.sources.base import Source
from sakedge.sources.feeds import camera, is_camera, stream
from sakedge.sources.files import Files, Reader, images_of
from sakedge.sources.reconnect import Reconnect
from sakedge.sources.recording import open_recording

SourceLike: TypeAlias = "str | os.PathLike[str] | int | ImageLike | Iterable[ImageLike]"


def open_source(
    source: SourceLike, reconnect: Reconnect | None = None, read: Reader = read
) -> Source:
    """Opens a source. What a file is, its content says.

    Args:
        source: A folder (its images, sorted, not those in subfolders), a glob, an image, a video
            file, a URL (`rtsp://`, `http://` …), a camera by index (`0` or `"0"`) or device
            (`/dev/video0`), or a list or other iterable of images.
        reconnect: When a camera or network stream that does not answer is tried again.
        read: Reads each image that is not a video's.

    Raises:
        SourceError: It does not exist, cannot be opened, has no image in it, or is no source. A
            camera or network stream that does not answer is no error here: it is tried again.
        OptionError: `reconnect` is something else.
    """
    if reconnect is None:
        reconnect = Reconnect()
    if not isinstance(reconnect, Reconnect):
        raise OptionError("not a Reconnect", expected="sakedge.Reconnect(…)", got=shown(reconnect))
    if isinstance(source, (str, os.PathLike)):
        return _open_text(_text(source), reconnect, read)
    given: Any = source
    if is_one_image(given):
        return Files([given], read=read)
    if isinstance(given, int) and not isinstance(given, bool):
        return camera(given, reconnect)
    if isinstance(given, Iterable) and not isinstance(given, (Mapping, Set)):
        if isinstance(given, Sequence) and not given:
            raise SourceError("the list has no image in it", expected="at least one image")
        return Files(given, read=read)
    raise _no_source("this is no source", type(given).__name__)


def _text(source: str | os.PathLike[str]) -> str:
    try:
        text = os.fspath(source)
    except Exception as error:  # whatever a class of the caller's raises
        raise _no_source("not a path", type(source).__name__) from error
    if isinstance(text, str) and text and "\0" not in text:
        return text
    raise _no_source("not a path", type(text).__name__ if text else "nothing")


def _open_text(text: str, reconnect: Reconnect, read: Reader) -> Source:
    try:
        status = Path(text).stat()
    except OSError as error:
        return _open_what_is_no_file(text, reconnect, read, error.strerror or str(error))
    except ValueError as error:  # characters that no file's name has
        raise _no_source("not a path", ascii(display_name(text)[:80])) from error
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        return images_of(_entries(Path(text)), f"the folder {text}", read)
    if stat.S_ISREG(mode):
        return _open_file(Path(text), status.st_size, read)
    if stat.S_ISCHR(mode) and is_camera(text):
        return camera(text, reconnect)
    raise _no_source(f"{text} is no source", "a device, a pipe or a socket")


def _open_what_is_no_file(text: str, reconnect: Reconnect, read: Reader, reason: str) -> Source:
    if is_url(text):
        return stream(text, reconnect)
    if text.isascii() and text.isdecimal():
        return camera(int(text[:12]), reconnect)
    if is_camera(text):
        return camera(text, reconnect)
    name = display_name(text)[:200]
    if has_magic(text):
        return images_of(_matches(text), f"the pattern {name}", read)
    raise _no_source(f"no such source: {name}", reason, "Check the path")


def _matches(pattern: str) -> list[Path]:
    # Not Path.glob, which refuses some patterns and all absolute ones.
    return [Path(found) for found in sorted(glob(pattern, recursive=True))]  # noqa: PTH207


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(
            f"cannot list {folder}",
            got=error.strerror or str(error),
            remedy="Check its permissions",
        ) from error


def _open_file(path: Path, size: int, read: Reader) -> Source:
    if not size:  # reading some of the files of /proc would not come back
        raise SourceError(f"{path} is empty", expected="an image or a video", got="0 bytes")
    try:
        with path.open("rb") as file:
            is_image = format_of(file) is not None
    except OSError as error:
        raise SourceError(
            f"cannot open {path}",
            got=error.strerror or str(error),
            remedy="Check its permissions",
        ) from error
    return Files([str(path)], read=read) if is_image else open_recording(path)


def _no_source(problem: str, got: str, remedy: str | None = None) -> SourceError:
    return SourceError(
        problem,
        expected="a folder, a glob, an image, a video, a URL, a camera's index or device, or a "
        "list or iterator of images",
        got=got,
        remedy=remedy,
    )
