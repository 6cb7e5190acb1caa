"""What the list of a repository says of a file, read from the file itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sakedge.errors import OptionError, UnsafePathError, shown
from sakedge.files.atomic import storage_error
from sakedge.files.targets import is_link
from sakedge.format import StudentFile, read_pack
from sakedge.trust.tuf.names import check_target_name

ENVELOPE = ".dsse.json"
_ENCRYPTED = (b"age-encryption.org/", b"sakedge-gcm ")
"""How an encrypted file begins. Its envelope, not we, says what is in it."""


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
        for file in _files_in(path) if path.is_dir() else _with_envelope(path):
            name = check_target_name(file.relative_to(path.parent).as_posix())
            if found.setdefault(name, file) != file:
                raise OptionError(
                    f"two files are called {name}: {found[name]} and {file}",
                    remedy="Publish one of them, or rename one",
                )
    if not found:
        raise OptionError("no file to publish", got=shown([str(path) for path in paths]))
    return found


def describe(path: Path) -> dict[str, Any]:
    """What a box and those who look at the list want to know of a file.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It has the suffix of a pack or a student and is none that can be used.
    """
    if path.name.endswith(ENVELOPE):
        return {"kind": "envelope"}
    if _is_encrypted(path):
        return {"kind": "encrypted"}
    if path.suffix == ".safetensors":
        part = read_pack(path).manifest
        return _stated(
            kind="pack",
            part=part.kind,
            name=part.name,
            version=part.version or None,
            teacher=part.teacher,
            license=part.license,
            stem_lineage=part.stem_lineage,
        )
    if path.suffix == ".onnx":
        with StudentFile.open(path) as student:
            return _stated(
                kind="student",
                content_digest=student.content_digest,
                license=student.manifest.provenance.license,
                stem_lineage=student.manifest.stem_lineage,
            )
    return {"kind": "delta" if path.suffix == ".sakdelta" else "file"}


def _stated(**fields: str | None) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _is_encrypted(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(max(map(len, _ENCRYPTED))).startswith(_ENCRYPTED)
    except OSError as error:
        raise storage_error("cannot read", path, error) from error


def _with_envelope(path: Path) -> list[Path]:
    envelope = path.with_name(f"{path.name}{ENVELOPE}")
    return [path, envelope] if envelope.is_file() else [path]


def _files_in(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.rglob("*") if is_link(path) or not path.is_dir())
    except OSError as error:
        raise storage_error("cannot read", folder, error) from error
    for path in files:
        if is_link(path):
            raise UnsafePathError(f"{path} is a link", remedy="Put the file where the link is")
    return files
