"""What of a user's files goes into a bundle: the student, packs, configuration, images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sakedge.bundling.installer.listing import is_safe_path
from sakedge.errors import OptionError
from sakedge.files.atomic import is_folder, is_there, storage_error
from sakedge.files.opening import open_regular
from sakedge.format import StudentFile
from sakedge.trust.describing import describe
from sakedge.trust.dsse import SUFFIX as ENVELOPE


@dataclass(frozen=True)
class Contents:
    """Files by where they go in the bundle, in the order in which they are named there.

    Attributes:
        student: The student, its weights where they lie in a second file, its envelope.
        adapters: Packs.
        config: Files for the site's folder.
        images: Images that an installation is tried on.
        envelopes: Of the packs.
        licences: Of the student and the packs, as they state it.
    """

    student: dict[str, Path]
    adapters: dict[str, Path]
    config: dict[str, Path]
    images: dict[str, Path]
    envelopes: dict[str, Path]
    licences: dict[str, str]

    @property
    def files(self) -> dict[str, Path]:
        """All of them."""
        return {
            **self.student,
            **self.adapters,
            **self.envelopes,
            **self.config,
            **self.images,
        }

    def copy(self, folder: Path) -> None:
        """Copies them into a folder.

        Raises:
            StorageError: One cannot be read, or not written.
        """
        for name, path in self.files.items():
            target = folder / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            except OSError as error:
                raise storage_error("cannot copy", path, error) from error


def gather(
    student: Path,
    adapters: Sequence[Path] = (),
    config: Sequence[Path] = (),
    images: Path | None = None,
) -> Contents:
    """Reads what a user named, before any work.

    Raises:
        StorageError: Something is missing or no regular file.
        FileFormatError: The student or a pack cannot be used.
        OptionError: Two files have one name, or a name that cannot be carried.
    """
    about = {path: describe(path) for path in (student, *adapters)}
    paths = [student]
    if about[student]["kind"] == "student":
        with StudentFile.open(student) as file:
            paths = list(file.files)
    elif about[student]["kind"] != "encrypted":
        raise OptionError(f"{student} is no student", expected="a student.onnx")
    students = _named("student", [*paths, *_envelopes([student])])
    packs = _named("adapters", adapters)
    return Contents(
        students,
        packs,
        _named("config", config),
        _named("images", _images(images)),
        _named("adapters", _envelopes(adapters)),
        {
            name: str(about[path].get("license") or "")
            for name, path in {**students, **packs}.items()
            if path in about
        },
    )


def _envelopes(paths: Iterable[Path]) -> list[Path]:
    beside = [path.with_name(f"{path.name}{ENVELOPE}") for path in paths]
    return [path for path in beside if is_there(path)]


def _images(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    if not is_folder(folder):
        raise OptionError(f"{folder} is no folder", expected="a folder of images")
    found = sorted(path for path in folder.iterdir() if path.is_file())
    if not found:
        raise OptionError(f"{folder} is empty", expected="a folder of images")
    return found


def _named(folder: str, paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        name = f"{folder}/{path.name}"
        if name in found:
            raise OptionError(f"two files are called {path.name}", remedy="Rename one of them")
        if not is_safe_path(name):
            raise OptionError(f"{path.name!r} is no name that can be carried", remedy="Rename it")
        try:
            os.close(open_regular(path)[0])
        except OSError as error:
            raise storage_error("cannot read", path, error) from error
        found[name] = path
    return found
