"""What the small files of a store share: how they are read and written, and what bounds them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sakedge.errors import NewerFormatError, OptionError, StorageError, StoreError, shown
from sakedge.files.atomic import atomic_write, is_there, storage_error, sync_folder
from sakedge.files.mapped import MappedFile
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads
from sakedge.text import to_json

VERSION: Literal[1] = 1
"""Of the format of a store and of every file in it."""
MOST_BYTES = 1 << 20
"""Of a file. A state of `MOST_NAMES` names has some 64 kB; a licence may be written out."""
MOST_NAMES = 256
"""Names under which adapters are active, or were."""
MOST_FILES = 4096
"""Of one folder: packs, versions of one adapter, or states."""


# What follows an `@` tells apart the versions that lie side by side in one slot.
ActiveName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(@[A-Za-z0-9._-]{1,64})?$")
]
LAST = 1 << 53
"""The largest number that every reader of JSON understands."""
Generation = Annotated[int, Field(ge=0, le=LAST)]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]


class Strict(BaseModel):
    """A part of a file of the store: immutable, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Record(Strict):
    """What a file of the store holds.

    Attributes:
        remedy: What to do where it is damaged.
    """

    remedy: ClassVar[str] = "Restore the store from a copy, or make a new one and add the packs"

    format_version: Literal[1] = VERSION


class Marker(Record):
    """The content of `store.json`, which makes a folder a store."""

    kind: Literal["sakedge adapter store"] = "sakedge adapter store"


Model = TypeVar("Model", bound=Record)


def read_record(path: Path, model: type[Model]) -> Model:
    """Reads a file of the store.

    Raises:
        StorageError: It cannot be read.
        NewerFormatError: It is of a newer format than this sakedge reads.
        StoreError: It is malformed.
        UnsafePathError: It is a link.
    """
    file = MappedFile(path, may_be_link=False)
    try:
        fields = loads(file.data, most_bytes=MOST_BYTES, most_keys=MOST_NAMES)
        version = fields.get("format_version") if isinstance(fields, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise NewerFormatError(
                f"{path} needs a newer sakedge",
                expected=f"format version {VERSION}",
                got=f"version {version}",
                remedy="Update sakedge",
            )
        # By its JSON again: strict models take lists for tuples, and texts for dates, only there.
        return model.model_validate_json(bytes(file.data))
    except ValidationError as error:
        reason = first_problem(error)
        raise StoreError(f"{path} is damaged: {reason}", remedy=model.remedy) from None
    except ValueError as error:
        raise StoreError(f"{path} is damaged: {error}", remedy=model.remedy) from None


def find_record(path: Path, model: type[Model]) -> Model | None:
    """The same, or None where there is no such file."""
    try:
        return read_record(path, model)
    except StorageError:
        if path.is_symlink() or is_there(path):
            raise
        return None


def names_in(folder: Path) -> list[str]:
    """What lies in a folder of the store, hidden files left out, in order.

    Raises:
        StorageError: It cannot be listed; one that is missing is empty.
        StoreError: There is more in it than in any store.
    """
    try:
        with os.scandir(folder) as found:
            names = [each.name for each in islice(found, MOST_FILES + 1)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise storage_error("cannot list", folder, error) from error
    if len(names) > MOST_FILES:
        raise StoreError(f"{folder} is damaged: more than {MOST_FILES} files are in it")
    return sorted(name for name in names if not name.startswith("."))


def write_record(path: Path, record: Record) -> None:
    """Writes a file of the store, whole or not at all.

    Raises:
        StorageError: It cannot be written.
    """
    with atomic_write(path) as file:
        file.write(to_bytes(record))


def to_bytes(record: Record) -> bytes:
    """A file of the store as it lies."""
    return f"{to_json(record.model_dump(mode='json'), indent=2)}\n".encode()


def remove(files: Iterable[Path]) -> None:
    """Removes files of one folder of the store, and makes it durable.

    Raises:
        StorageError: They cannot be removed.
    """
    gone = None
    for gone in files:
        try:
            gone.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error("cannot remove", gone, error) from error
    if gone is not None:
        sync_folder(gone.parent)


def checked(kind: Any, what: str, given: Any) -> str:
    """An argument that is a text as a file of the store would hold it.

    Args:
        kind: The type of the field, e.g. `ActiveName`.
        what: What it is, for the message.
        given: The argument.

    Raises:
        OptionError: It is no such text.
    """
    try:
        found: str = TypeAdapter(kind).validate_python(given, strict=True)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_context=False, include_input=False)[0]
        wanted = f"what the format allows ({reason['msg']})"
        raise OptionError(f"this is not {what}", expected=wanted, got=shown(given)) from None
    return found


def now() -> str:
    """The moment, by the device's clock, in UTC."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
