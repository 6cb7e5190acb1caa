"""One file that takes compiled graphs from one machine of a class to the others.

A runtime trusts a compiled graph as it trusts its own code. So the file is read only after
somebody has vouched for it: a signature that the site requires, or whoever installs it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from sakedge.backends import cache
from sakedge.compiling.machine_class import MachineClass
from sakedge.errors import ChoiceError, FileFormatError, NewerFormatError, StorageError
from sakedge.files.atomic import atomic_write
from sakedge.format.schema import Digest, first_problem
from sakedge.format.strict_json import loads
from sakedge.text import to_json

SUFFIX = ".sakcache"
VERSION: Literal[1] = 1
_ABOUT = "about.json"
_ENTRY = re.compile(r"([a-z0-9-]{1,64})/([0-9a-f]{32})\.blob")
_MOST_ENTRIES = 64
_MAX_ABOUT = 1 << 16
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The one date in a file, so that the same entries make the same bytes."""


class About(BaseModel):
    """What a file is for.

    Attributes:
        format_version: Of the file.
        student: Content digest of the student.
        machine: The class of machines.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = VERSION
    student: Digest
    machine: MachineClass


@dataclass(frozen=True)
class Carried:
    """A file's content, checked.

    Attributes:
        about: What it is for.
        entries: `folder/key` → what the runtime stored.
    """

    about: About
    entries: Mapping[tuple[str, str], bytes]

    def store(self, folder: Path) -> None:
        """Puts the entries into a cache folder, as the user who runs this.

        Raises:
            StorageError: The folder cannot be written, or others could write to it.
        """
        for (name, key), blob in self.entries.items():
            problem = cache.store(folder / name, key, blob)
            if problem:
                raise StorageError(f"cannot fill the cache: {problem}")


def write(path: Path, folder: Path, about: About) -> int:
    """Writes all entries of a cache folder to a file.

    Returns:
        How many there are.

    Raises:
        StorageError: The file cannot be written.
    """
    found = sorted(folder.glob("*/*.blob"))
    with atomic_write(path) as file, ZipFile(file, "w", ZIP_STORED) as archive:
        archive.writestr(ZipInfo(_ABOUT, _BEGINNING), to_json(about.model_dump(), indent=2))
        for each in found:
            place = ZipInfo(f"{each.parent.name}/{each.name}", _BEGINNING)
            place.file_size = each.stat().st_size
            with each.open("rb") as source, archive.open(place, "w") as target:
                while piece := source.read(1 << 20):
                    target.write(piece)
    return len(found)


def read(content: bytes | memoryview, name: str) -> Carried:
    """Reads a file that somebody has vouched for.

    Raises:
        FileFormatError: It is none, is damaged, or is of a newer format.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            if len(listed) > 1 + _MOST_ENTRIES:
                raise ValueError(f"it has {len(listed)} files")
            about = _about(archive, listed, name)
            entries = {}
            for each in listed:
                if each.filename != _ABOUT:
                    place, blob = _entry(archive, each)
                    entries[place] = blob
    except ValidationError as error:
        problem = first_problem(error)
    except (ValueError, KeyError, BadZipFile, NotImplementedError, EOFError, OSError) as error:
        problem = str(error)
    else:
        return Carried(about, entries)
    raise FileFormatError(
        f"{name} holds no compiled graphs: {problem}",
        expected=f"a file of `sakedge compile -o`, e.g. student{SUFFIX}",
        remedy="Copy or make it again",
    )


def require_student(carried: Carried, digest: str, name: str) -> None:
    """Checks that a file was made for a student.

    Raises:
        ChoiceError: It was made for another one.
    """
    if carried.about.student != digest:
        raise ChoiceError(
            f"{name} was compiled for another student",
            expected=f"content digest {digest}",
            got=carried.about.student,
            remedy="Make it again with this student",
        )


def _about(archive: ZipFile, listed: list[ZipInfo], name: str) -> About:
    place = next((each for each in listed if each.filename == _ABOUT), None)
    if place is None or place.file_size > _MAX_ABOUT or place.compress_type != ZIP_STORED:
        raise ValueError(f"it has no {_ABOUT}")
    fields: Any = loads(archive.read(place), most_bytes=_MAX_ABOUT, most_keys=64)
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise NewerFormatError(
            f"{name} needs a newer sakedge",
            expected=f"format version {VERSION}",
            got=f"version {version}",
        )
    return About.model_validate(fields)


def _entry(archive: ZipFile, place: ZipInfo) -> tuple[tuple[str, str], bytes]:
    matched = _ENTRY.fullmatch(place.filename)
    if matched is None or place.compress_type != ZIP_STORED:
        raise ValueError("it has a file that is no entry of a cache")
    stored = archive.read(place)
    folder, key = matched[1], matched[2]
    return (folder, key), cache.checked(key, stored)
