"""A bundle in one file: a tar without compression, the same bytes for the same folder."""

from __future__ import annotations

import filecmp
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sakedge.bundling.installer.listing import MAX_FILES, is_safe_path
from sakedge.errors import BundleError
from sakedge.files.atomic import atomic_write

SUFFIX = ".tar"


def write_archive(folder: Path, name: str, to: Path) -> None:
    """Writes a folder as one file.

    Args:
        folder: The folder.
        name: What it is called inside.
        to: The file.

    Raises:
        StorageError: It cannot be written.
    """
    with atomic_write(to) as file:
        _write(folder, name, file)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder of a bundle in one file, while the block runs.

    Nothing is in the file that is not in the folder: it is written anew and compared, byte by byte.

    Raises:
        BundleError: It is no such file, or was changed.
        StorageError: It cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="sakedge-bundle-") as scratch:
        try:
            name = _unpack(path, Path(scratch))
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise BundleError(
                f"{path.name} is no bundle in one file: {error}", remedy="Copy it again"
            ) from None
        folder = Path(scratch) / name
        again = Path(scratch) / f"{name}{SUFFIX}"
        write_archive(folder, name, again)
        if not filecmp.cmp(path, again, shallow=False):
            raise BundleError(
                f"{path.name} is not as it was written: bytes between its files were changed",
                remedy="Copy it again",
            )
        again.unlink()
        yield folder


def _write(folder: Path, name: str, file: BinaryIO) -> None:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            info.size = path.stat().st_size
            info.mode = 0o755 if path.suffix == ".sh" else 0o644
            with path.open("rb") as content:
                archive.addfile(info, content)


def _unpack(path: Path, scratch: Path) -> str:
    """Unpacks what is a plain file with a plain name, and refuses everything else."""
    tops = set()
    with tarfile.open(path, "r:") as archive:
        for count, info in enumerate(archive):
            if count > MAX_FILES or not info.isreg() or not is_safe_path(info.name):
                raise ValueError(f"it holds {info.name!r}, which no bundle has")
            tops.add(info.name.partition("/")[0])
            target = scratch / info.name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(info)
            assert content is not None, "it is a regular file"
            with content, target.open("xb") as file:
                while chunk := content.read(1 << 20):
                    file.write(chunk)
    if len(tops) != 1:
        raise ValueError("it does not hold one folder")
    return tops.pop()
