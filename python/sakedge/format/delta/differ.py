"""Finds the delta between two files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from sakedge.errors import DeltaError, OptionError
from sakedge.files.atomic import atomic_write
from sakedge.files.mapped import MappedFile
from sakedge.files.names import is_plain_name
from sakedge.files.paths import file_path
from sakedge.files.sparing import sparing
from sakedge.files.targets import followed, refuse_inputs
from sakedge.format.delta import planes
from sakedge.format.delta.header import (
    MAX_FILE,
    MAX_STEP,
    MAX_STEPS,
    Copy,
    DeltaInfo,
    Difference,
    Fresh,
    Header,
    Sparse,
    Step,
    most_of,
    serialized,
)
from sakedge.format.delta.layout import Extent, Extents, extents
from sakedge.format.delta.library import pack
from sakedge.format.delta.patcher import file_id
from sakedge.format.delta.planes import Width

_TRAINED = 0.75
"""Share of a tensor above which its difference is no smaller than another tensor's would be."""


def diff(
    old: str | os.PathLike[str], new: str | os.PathLike[str], out: str | os.PathLike[str]
) -> DeltaInfo:
    """Writes the delta that makes one file of another; it is replaced atomically.

    Any two files have one. It is small where they are versions of the same tensors: packs,
    students, stems, and the data files of students, which are read with the model beside them.

    Args:
        old: What its receiver has.
        new: What its receiver is to get.
        out: Where the delta goes.

    Raises:
        OptionError: The new file is empty, far larger than the old one, or has a name that other
            systems do not take; a path is none; or `out` is an input.
        StorageError: A file cannot be read or written.
        DeltaError: The files differ in too many places.
        BackendError: The package zstandard is missing.
    """
    before = MappedFile(file_path("the old file", old))
    after = MappedFile(file_path("the new file", new))
    out = file_path("a delta", out)
    refuse_inputs(out, (before.path, after.path))
    _check(before, after)

    def release() -> None:
        before.advise("DONTNEED")
        after.advise("DONTNEED")

    with sparing(release):
        maker = _Maker(before.data, after.data)
        steps = tuple(_joined(_steps(maker, extents(before), extents(after))))
        if len(steps) > MAX_STEPS:
            raise DeltaError("the files differ in too many places", remedy="Send the file itself")
        header = Header(
            tool=f"sakedge {_version()}",
            name=after.path.name,
            old=file_id(before.data),
            new=file_id(after.data),
            steps=steps,
        )
    head = serialized(header)
    with atomic_write(followed(out)) as file:
        file.write(head)
        file.writelines(maker.payload)
    length = len(head) + sum(map(len, maker.payload))
    return DeltaInfo(header.old, header.new, header.name, header.tool, length)


def _check(before: MappedFile, after: MappedFile) -> None:
    name, size, most = after.path.name, len(after.data), most_of(len(before.data))
    if not before.data or not size:
        empty = after if before.data else before
        raise OptionError(f"{empty.path} is empty: there is no delta", remedy="Check the path")
    if size > most or len(before.data) > MAX_FILE:
        raise OptionError(
            f"{name} is too large for a delta from {before.path.name}",
            expected=f"at most {most} bytes, from at most {MAX_FILE}",
            got=f"{size} from {len(before.data)}",
            remedy="Send the file itself",
        )
    if not is_plain_name(name):
        raise OptionError(
            "a delta cannot name this file",
            expected="a name that all systems take",
            got=repr(name),
            remedy="Rename it",
        )


def _steps(maker: _Maker, old: Extents, new: Extents) -> Iterator[Step]:
    at, old_at = 0, 0
    for name, extent in new.items():
        partner = old.get(name)
        # Between tensors lie headers: those before one tensor are like those before its old self.
        yield from maker.between(at, extent.start, old_at, partner.start if partner else old_at)
        yield from maker.tensor(extent, partner)
        at = extent.end
        old_at = partner.end if partner else old_at
    yield from maker.between(at, len(maker.new), old_at, len(maker.old))


class _Maker:
    """Makes steps, and keeps what they take.

    Attributes:
        old: The old file.
        new: The new one.
        payload: What the steps made so far take, in order.
    """

    def __init__(self, old: memoryview, new: memoryview) -> None:
        self.old = old
        self.new = new
        self.payload: list[bytes] = []

    def tensor(self, extent: Extent, partner: Extent | None) -> Iterator[Step]:
        """A tensor: what differs from its old self, if that is of the same size."""
        start, end = extent.start, extent.end
        width: Width = 1 if (end - start) % extent.width else extent.width
        if partner is not None and partner.size != extent.size:
            partner = None
        for at in range(start, end, MAX_STEP):
            stop = min(at + MAX_STEP, end)
            yield self._block(at, stop, width, partner and partner.start + at - start)

    def between(self, start: int, end: int, old_start: int, old_end: int) -> Iterator[Step]:
        """Bytes outside of tensors, or a file without any: with their counterparts as a prefix."""
        # Of a head that changed its length, the end is where its counterpart's is.
        counterpart = old_end - (end - start)
        if old_end > old_start and counterpart >= 0 and self._is_same(start, end, counterpart):
            if end > start:
                yield Copy("copy", end - start, counterpart)
            return
        for at in range(start, end, MAX_STEP):
            stop, known_at = min(at + MAX_STEP, end), old_start + at - start
            if self._is_same(at, stop, known_at):
                yield Copy("copy", stop - at, known_at)
                continue
            known = max(0, min(MAX_STEP, old_end - known_at))
            yield self._fresh(at, stop, 1, known_at if known else 0, known)

    def _block(self, at: int, stop: int, width: Width, old_at: int | None) -> Step:
        if old_at is None:
            return self._fresh(at, stop, width)
        length = stop - at
        if self._is_same(at, stop, old_at):
            return Copy("copy", length, old_at)
        base, new = self.old[old_at : old_at + length], self.new[at:stop]
        delta = pack(planes.differences(base, new, width))
        if width == 1:
            pairs = planes.sparse_differences(base, new)
            sparse = pack(pairs)
            if len(sparse) < len(delta):
                self.payload.append(sparse)
                return Sparse("sparse", length, old_at, len(pairs) // 2, len(sparse))
        if len(delta) > length * _TRAINED:
            whole = pack(planes.split(new, width))
            if len(whole) < len(delta):
                self.payload.append(whole)
                return Fresh("fresh", length, 0, 0, width, len(whole))
        self.payload.append(delta)
        return Difference("difference", length, old_at, width, len(delta))

    def _fresh(self, at: int, stop: int, width: Width, old_at: int = 0, known: int = 0) -> Step:
        prefix = self.old[old_at : old_at + known] if known else None
        packed = pack(planes.split(self.new[at:stop], width), prefix)
        self.payload.append(packed)
        return Fresh("fresh", stop - at, old_at, known, width, len(packed))

    def _is_same(self, at: int, stop: int, old_at: int) -> bool:
        if old_at + stop - at > len(self.old):
            return False
        theirs = np.frombuffer(self.old[old_at : old_at + stop - at], np.uint8)
        return np.array_equal(theirs, np.frombuffer(self.new[at:stop], np.uint8))


def _joined(steps: Iterator[Step]) -> Iterator[Step]:
    """The same steps with copies that follow each other in the old file as one."""
    last: Step | None = None
    for step in steps:
        if isinstance(last, Copy) and isinstance(step, Copy) and last.at + last.length == step.at:
            last = last._replace(length=last.length + step.length)
            continue
        if last is not None:
            yield last
        last = step
    if last is not None:
        yield last


def _version() -> str:
    try:
        return version("sakedge")
    except PackageNotFoundError:
        return "0+source"
