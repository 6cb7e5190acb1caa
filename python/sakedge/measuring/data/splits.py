"""What the official data sets share: a file that lists images, and files named after them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sakedge.errors import DatasetError
from sakedge.measuring.data.files import some


def listed(path: Path) -> list[str]:
    """The names in a split, one a line.

    Raises:
        DatasetError: It is missing, unreadable, empty, or names an image twice.
    """
    try:
        names = path.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read the list of images {path}", got=str(error)) from error
    if not names:
        raise DatasetError(f"{path} lists no image", expected="a name in each line")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise DatasetError(f"{path} lists images twice", got=some(twice))
    return names


def images_named(folder: Path, names: Sequence[str], suffix: str) -> dict[str, Path]:
    """The image of each name.

    Raises:
        DatasetError: Some are missing.
    """
    missing = [name for name in names if not (folder / f"{name}{suffix}").is_file()]
    if missing:
        raise DatasetError(
            f"{folder} lacks {len(missing)} of the images in the list",
            expected=f"{len(names)} files",
            got=f"none for {some(missing)}",
        )
    return {name: folder / f"{name}{suffix}" for name in names}


def files_named(
    folders: Sequence[Path], names: Sequence[str], suffixes: Sequence[str]
) -> dict[str, tuple[Path, ...]]:
    """The first file that is there for each name, looked for in folders and then by suffix."""
    found: dict[str, tuple[Path, ...]] = {}
    for name in names:
        places = (folder / f"{name}{suffix}" for folder in folders for suffix in suffixes)
        path = next((each for each in places if each.is_file()), None)
        if path is not None:
            found[name] = (path,)
    return found
