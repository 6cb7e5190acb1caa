"""The header of a delta: which file becomes which, and the steps that lead there.

The steps, in order, give the new file's bytes from its first to its last. Each says how many it
gives, and most of them where in the old file their counterpart begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sakedge.errors import DeltaError, NewerFormatError, TruncatedFileError
from sakedge.files.names import is_plain_name
from sakedge.format.delta.planes import Width
from sakedge.format.schema import Digest, Text
from sakedge.format.strict_json import loads

MAGIC = b"SAKDELTA"
DELTA_VERSION: Literal[1] = 1
"""Newest format version of a delta that this sakedge reads, and the one that it writes."""

MAX_HEADER = 1 << 22
MAX_STEPS = 1 << 16
"""Of a ViT-L of which every weight changed there are 2000, in a tenth of a megabyte."""
MAX_FILE = 1 << 35
"""Bytes of a file, old or new: what all weights of a student may have."""
MAX_STEP = 1 << 22
"""Bytes that one step computes: what patching needs beside the file, times a few."""

_LENGTH = 4
"""Bytes after the magic, which say how long the header is."""

Offset = Annotated[int, Field(strict=True, ge=0, le=MAX_FILE)]
Length = Annotated[int, Field(strict=True, ge=1, le=MAX_FILE)]
Piece = Annotated[int, Field(strict=True, ge=1, le=MAX_STEP)]
Known = Annotated[int, Field(strict=True, ge=0, le=MAX_STEP)]


class Copy(NamedTuple):
    """Bytes of the old file, from `at` on."""

    kind: Literal["copy"]
    length: Length
    at: Offset


class Difference(NamedTuple):
    """The old file's words from `at` on plus differences: the next `packed` bytes of the delta."""

    kind: Literal["difference"]
    length: Piece
    at: Offset
    width: Width
    packed: Piece


class Sparse(NamedTuple):
    """The old file's bytes from `at` on, of which some change.

    Which and how is in `pairs` pairs of bytes, the next `packed` bytes of the delta.
    """

    kind: Literal["sparse"]
    length: Piece
    at: Offset
    pairs: Piece
    packed: Piece


class Fresh(NamedTuple):
    """Words of their own: the next `packed` bytes of the delta.

    They may refer to `known` bytes of the old file, from `at` on.
    """

    kind: Literal["fresh"]
    length: Piece
    at: Offset
    known: Known
    width: Width
    packed: Piece


Step = Copy | Difference | Sparse | Fresh


class FileId(BaseModel):
    """Which file it is.

    Attributes:
        sha256: Of the whole file.
        bytes: Its length.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Digest
    bytes: Length


class Header(BaseModel):
    """The header, as JSON in the file.

    Attributes:
        format_version: Version of these fields.
        tool: Tool and version that made the delta.
        name: Name of the new file, without a folder.
        old: The file that it is applied to.
        new: The file that it makes.
        steps: How.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = DELTA_VERSION
    tool: Text
    name: Text
    old: FileId
    new: FileId
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS, fail_fast=True)

    @model_validator(mode="after")
    def _steps_make_the_file(self) -> Header:
        if not is_plain_name(self.name):
            raise ValueError("'name' is no name of a file")
        if self.new.bytes > most_of(self.old.bytes):
            raise ValueError(f"a file of {self.new.bytes} bytes from one of {self.old.bytes}")
        made = 0
        for step in self.steps:
            end = step.at + (step.known if isinstance(step, Fresh) else step.length)
            if end > self.old.bytes:
                raise ValueError(f"a step refers to byte {end} of the old file")
            if isinstance(step, (Difference, Fresh)) and step.length % step.width:
                raise ValueError(f"{step.length} bytes are no words of {step.width}")
            made += step.length
        if made != self.new.bytes:
            raise ValueError(f"the steps make {made} bytes of {self.new.bytes}")
        return self


def most_of(old: int) -> int:
    """The most bytes that a delta may make of a file of so many.

    A student in int8 becomes one in floats, a pack gets routers; more is a bomb, not an update.
    """
    return min(4 * old + (1 << 26), MAX_FILE)


@dataclass(frozen=True)
class DeltaInfo:
    """What a delta does.

    Attributes:
        old: The file that it is applied to.
        new: The file that it makes.
        name: That file's name, as its maker had it.
        tool: Tool and version that made the delta.
        bytes: Length of the delta.
    """

    old: FileId
    new: FileId
    name: str
    tool: str
    bytes: int

    @property
    def share(self) -> float:
        """Length of the delta as a share of the new file's."""
        return self.bytes / self.new.bytes


def parse_delta(content: memoryview, name: str) -> tuple[Header, memoryview]:
    """Reads and checks a delta's header.

    Args:
        content: The whole delta.
        name: What to call it in errors.

    Returns:
        The header, and the bytes that its steps take, all of them.

    Raises:
        TruncatedFileError: It ends before its header says.
        NewerFormatError: It is of a newer format than this sakedge reads.
        DeltaError: It is no delta, is damaged, or contradicts itself.
    """
    if bytes(content[: len(MAGIC)]) != MAGIC:
        raise DeltaError(f"{name} is no delta", expected=f"a file that begins with {MAGIC!r}")
    start = len(MAGIC) + _LENGTH
    length = int.from_bytes(content[len(MAGIC) : start], "little")
    if length > MAX_HEADER:
        raise DeltaError(f"the header of {name} has {length} bytes, more than {MAX_HEADER}")
    if len(content) < start + length:
        raise _truncated(name, start + length, len(content))
    try:
        fields = loads(content[start : start + length], most_bytes=MAX_HEADER, most_keys=16)
        _check_version(fields, name)
        header = Header.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"][:2])
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise DeltaError(f"the header of {name} is not valid: {reason}") from None
    except ValueError as error:
        raise DeltaError(f"the header of {name} is not JSON that can be used: {error}") from None
    payload = content[start + length :]
    taken = sum(step.packed for step in header.steps if not isinstance(step, Copy))
    if len(payload) < taken:
        raise _truncated(name, start + length + taken, len(content))
    if len(payload) > taken:
        raise DeltaError(
            f"{name} holds more than its steps take",
            expected=f"{start + length + taken} bytes",
            got=str(len(content)),
            remedy="Get the delta again",
        )
    return header, payload


def serialized(header: Header) -> bytes:
    """The beginning of a delta's file."""
    text = header.model_dump_json().encode()
    return MAGIC + len(text).to_bytes(_LENGTH, "little") + text


def _check_version(fields: Any, name: str) -> None:
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and not isinstance(version, bool) and version > DELTA_VERSION:
        raise NewerFormatError(
            f"{name} needs a newer sakedge",
            expected=f"format version {DELTA_VERSION} or older",
            got=f"version {version}",
            remedy="Update sakedge, or make the delta again with this version",
        )


def _truncated(name: str, expected: int, got: int) -> TruncatedFileError:
    return TruncatedFileError(
        f"{name} ends too early",
        expected=f"at least {expected} bytes",
        got=str(got),
        remedy="Get the delta again",
    )
