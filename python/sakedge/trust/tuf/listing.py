"""Which files are meant by what is to be published."""

from __future__ import annotations

from pathlib import Path

from sakedge.errors import OptionError, UnsafePathError, shown
from sakedge.files.atomic import storage_error
from sakedge.files.targets import is_link
from sakedge.trust.envelope import envelope_path
from sakedge.trust.tuf.names import check_target_name


def files_to_publish(paths: tuple[Path, ...]) -> dict[str, Path]:
    """The files meant, by the names under which they are distributed.

    A folder stands for all files in it, as `folder/…`; a file brings its envelope along.

    Raises:
        OptionError: Two have one name, or there is none.
        UnsafePathError: A name cannot be distributed, or a file is a link.
        StorageError: A folder cannot be read.
    """
    found: dict[str, Path] = {}
    for given in paths:
        path = Path(given.absolute())
        for file in _files_of(path):
            name = check_target_name(file.relative_to(path.parent).as_posix())
            if found.setdefault(name, file) != file:
                raise OptionError(
                    f"two files are called {name}: {found[name]} and {file}",
                    remedy="Publish one of them, or rename one",
                )
    if not found:
        raise OptionError(
            "no file to publish",
            expected="files, or folders with files",
            got=shown([str(path) for path in paths]),
        )
    return found


def _files_of(path: Path) -> list[Path]:
    """A file and its envelope, or the files in a folder."""
    try:
        if not path.is_dir():
            envelope = envelope_path(path)
            return [path, envelope] if envelope.is_file() else [path]
        files = sorted(each for each in path.rglob("*") if is_link(each) or not each.is_dir())
    except OSError as error:
        raise storage_error("cannot read", path, error) from error
    for each in files:
        if is_link(each):
            raise UnsafePathError(f"{each} is a link", remedy="Put the file where the link is")
    return files
