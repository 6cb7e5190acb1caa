"""Makes the new file of the old one and a delta."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from sakedge.errors import DeltaError, WrongBaseError
from sakedge.files.atomic import atomic_write
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import file_path
from sakedge.files.sparing import sparing
from sakedge.files.targets import followed, refuse_inputs
from sakedge.format.delta import planes
from sakedge.format.delta.header import (
    Copy,
    DeltaInfo,
    Difference,
    FileId,
    Header,
    Sparse,
    parse_delta,
)
from sakedge.format.delta.library import unpack

Content = bytes | bytearray | memoryview

_SLICE = 1 << 22
"""Bytes that are digested or copied at a time."""


def read_info(delta: Content, name: str = "the delta") -> DeltaInfo:
    """What a delta does, by its header.

    Args:
        delta: The whole delta.
        name: What to call it in errors.

    Raises:
        DeltaError, TruncatedFileError, NewerFormatError: It cannot be used.
    """
    return _info(parse_delta(memoryview(delta), name)[0], len(delta))


def patch(old: Content, delta: Content, name: str = "the delta") -> bytes:
    """The new file's bytes, in memory.

    Args:
        old: The old file.
        delta: The whole delta.
        name: What to call it in errors.

    Raises:
        WrongBaseError: It was made for another file than `old`.
        DeltaError, TruncatedFileError, NewerFormatError: It cannot be used.
    """
    header, payload = parse_delta(memoryview(delta), name)
    return b"".join(_checked(memoryview(old), header, payload, name))


def patch_file(
    old: str | os.PathLike[str], delta: str | os.PathLike[str], out: str | os.PathLike[str]
) -> DeltaInfo:
    """Writes the new file; it is replaced atomically, and only when its digest is right.

    Needs no more memory than some steps take, however large the files are: they are mapped.

    Args:
        old: The old file.
        delta: The delta.
        out: Where the new file goes.

    Raises:
        WrongBaseError: The delta was made for another file than `old`.
        DeltaError, TruncatedFileError, NewerFormatError: It cannot be used.
        StorageError: A file cannot be read or written.
        OptionError: A path is none, or `out` is an input.
    """
    old, delta = file_path("the old file", old), file_path("a delta", delta)
    out = file_path("the new file", out)
    refuse_inputs(out, (old, delta))
    base, update = MappedFile(old), MappedFile(delta)
    header, payload = parse_delta(update.data, delta.name)

    def release() -> None:
        base.advise("DONTNEED")
        update.advise("DONTNEED")

    with sparing(release), atomic_write(followed(out)) as file:
        for piece in _checked(base.data, header, payload, delta.name):
            file.write(piece)
    return _info(header, len(update.data))


def _info(header: Header, length: int) -> DeltaInfo:
    return DeltaInfo(header.old, header.new, header.name, header.tool, length)


def _checked(
    old: memoryview, header: Header, payload: memoryview, name: str
) -> Iterator[memoryview]:
    """The new file piece by piece. Raises at its end if it is another than the header says."""
    found = file_id(old)
    if found != header.old:
        raise WrongBaseError(
            f"{name} was made for another file than this one",
            expected=f"SHA-256 {header.old.sha256}, {header.old.bytes} bytes",
            got=f"{found.sha256}, {found.bytes} bytes" if found.bytes else "an empty file",
            remedy="Apply the deltas in the order in which they were made, or get the whole file",
        )
    digest = hashlib.sha256()
    for piece in _pieces(old, header, payload):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != header.new.sha256:
        raise DeltaError(
            f"{name} is damaged: it does not make the file that it says",
            expected=f"SHA-256 {header.new.sha256}",
            got=digest.hexdigest(),
            remedy="Get the delta again",
        )


def _pieces(old: memoryview, header: Header, payload: memoryview) -> Iterator[memoryview]:
    taken = 0
    for step in header.steps:
        if isinstance(step, Copy):
            end = step.at + step.length
            for start in range(step.at, end, _SLICE):
                yield old[start : min(start + _SLICE, end)]
            continue
        packed = payload[taken : taken + step.packed]
        taken += step.packed
        base = old[step.at : step.at + step.length]
        if isinstance(step, Difference):
            yield planes.add(base, unpack(packed, step.length), step.width)
        elif isinstance(step, Sparse):
            yield planes.add_sparse(base, unpack(packed, 2 * step.pairs))
        else:
            known = old[step.at : step.at + step.known] if step.known else None
            yield planes.join(unpack(packed, step.length, known), step.width)


def file_id(content: memoryview) -> FileId:
    """Which file these bytes are."""
    digest = hashlib.sha256()
    for start in range(0, len(content), _SLICE):
        digest.update(content[start : start + _SLICE])
    return FileId.model_construct(sha256=digest.hexdigest(), bytes=len(content))
