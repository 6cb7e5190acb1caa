"""Whether a log is whole, and what nobody can know from it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.audit.checkpoint import Checkpoint
from sakedge.audit.entry import Entry
from sakedge.audit.segments import view
from sakedge.audit.walk import Walk
from sakedge.errors import AuditError, OptionError
from sakedge.files.paths import file_path

if TYPE_CHECKING:
    from sakedge.trust.keys import PublicKey


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        files: Number of files.
        first: The first entry; None if that is wrong already.
        last: The last one that is right.
        root: Root of the Merkle tree up to there.
        problem: The first wrong place and what is wrong; None if there is none.
        torn: What a power cut may have left at the end; None if nothing. The next entry accounts
            for it.
        recovered: The entries that account for such lines before.
        checkpoints: Those given, by size.
        unknown: What cannot be known, a sentence each.
    """

    files: int
    first: Entry | None
    last: Entry | None
    root: bytes
    problem: str | None
    torn: str | None
    recovered: tuple[Entry, ...]
    checkpoints: tuple[Checkpoint, ...]
    unknown: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all is as it was written."""
        return self.problem is None and self.torn is None

    def to_dict(self) -> Mapping[str, Any]:
        """All of it, ready for JSON."""
        return {
            "ok": self.ok,
            "problem": self.problem,
            "torn": self.torn,
            "files": self.files,
            "first": self.first and self.first.model_dump(),
            "last": self.last and self.last.model_dump(),
            "root": base64.b64encode(self.root).decode(),
            "recovered": [entry.seq for entry in self.recovered],
            "checkpoints": [
                {"origin": each.origin, "size": each.size, "signers": each.signers}
                for each in self.checkpoints
            ],
            "unknown": self.unknown,
        }


def verify(
    folder: Path,
    checkpoints: Sequence[str | bytes] = (),
    keys: Sequence[PublicKey] = (),
    *,
    archived: bool = False,
) -> Verdict:
    """Checks a whole log, and that it is the one that the checkpoints were made of.

    Args:
        folder: The log's folder, or a copy of it.
        checkpoints: Signed ones of this log, from where nobody who may write here could.
        keys: Those that may have signed them.
        archived: Whether the log's first files may lie elsewhere.

    Raises:
        OptionError: There are checkpoints and no key, or they are of several logs.
        StorageError: The log cannot be read.
        SignatureError: A checkpoint is signed by none of the keys, or wrongly.
        NewerFormatError: The log was written by a newer sakedge.
        AuditError: There is no log, or a checkpoint is none. What is wrong with the log itself is
            in the verdict.
    """
    if checkpoints and not keys:
        raise OptionError(
            "a checkpoint is worth nothing without the key that signed it",
            remedy="Give the public key too (`--key`)",
        )
    made = sorted((Checkpoint.read(each, keys) for each in checkpoints), key=lambda c: c.size)
    if len({each.origin for each in made}) > 1:
        origins = ", ".join(sorted({each.origin for each in made}))
        raise OptionError("the checkpoints are of several logs", expected="one origin", got=origins)
    segments = view(file_path("an audit log", folder))
    walk = Walk(segments, archived=archived)
    first: Entry | None = None
    problem = None
    try:
        for _ in _held_against(walk, made, segments[0].first - 1):
            first = first or walk.last
    except AuditError as error:
        problem = str(error)
    return Verdict(
        files=len(segments),
        first=first,
        last=walk.last,
        root=walk.tree.root(),
        problem=problem,
        torn=None if problem else _torn(walk),
        recovered=tuple(walk.recovered),
        checkpoints=tuple(made),
        unknown=tuple(_unknown(walk, made, first)),
    )


def entries(folder: Path) -> Iterator[Entry]:
    """The entries of a log, in order, each checked against those before it.

    Raises:
        StorageError: The log cannot be read.
        NewerFormatError: It was written by a newer sakedge.
        AuditError: There is no log, or the next entry is wrong.
    """
    segments = view(file_path("an audit log", folder))
    yield from (each for each in Walk(segments, archived=True) if each is not None)


def _held_against(walk: Walk, made: Sequence[Checkpoint], before: int) -> Iterator[None]:
    """Walks, and compares the log with each checkpoint at its size."""
    waiting = [each for each in made if each.size > before]
    for _ in walk:
        while waiting and waiting[0].size == walk.tree.size:
            checkpoint = waiting.pop(0)
            if walk.tree.root() != checkpoint.root:
                raise AuditError(
                    f"the first {checkpoint.size} lines are not those of the checkpoint that "
                    f"{checkpoint.signers[0]} signed: some were rewritten, or it is another log's",
                    expected=f"root {base64.b64encode(checkpoint.root).decode()}",
                    got=base64.b64encode(walk.tree.root()).decode(),
                )
        yield
    if waiting:
        checkpoint = waiting[-1]
        raise AuditError(
            f"{checkpoint.size - walk.tree.size} lines are missing at the end",
            expected=f"the {checkpoint.size} of the checkpoint that {checkpoint.signers[0]} signed",
            got=f"{walk.tree.size}",
        )


def _torn(walk: Walk) -> str | None:
    if walk.torn:
        size = sum(map(len, walk.torn))
        return (
            f"the last {size} bytes, after entry {walk.last.seq if walk.last else 0}, are the "
            "beginning of a line, as a power cut leaves it; the next entry accounts for them"
        )
    return "the last line has no end; the next entry gives it one" if walk.is_open else None


def _unknown(walk: Walk, made: Sequence[Checkpoint], first: Entry | None) -> Iterator[str]:
    covered = made[-1].size if made else 0
    if made:
        yield (
            f"whether entries after {covered}, the newest checkpoint given, were rewritten or cut "
            "from the end; and whether who holds the key signed a log that was rewritten"
        )
    else:
        yield (
            "whether entries were cut from the end, or the whole log was written anew: only a "
            "signed checkpoint that was kept elsewhere shows that (--checkpoint, --key)"
        )
    begun = first.seq if first else 1
    if begun > 1:
        yield (
            f"entries 1 to {begun - 1}: they are not here. With a checkpoint of a later size they "
            "cannot be others than they were"
        )
    yield f"what was done before {first.time if first else 'the log began'}, or without sakedge"
    back = f"; entries at which it had gone back: {walk.backwards}" if walk.backwards else ""
    yield f"whether the machine's clock was right{back}"
    if walk.recovered:
        numbers = ", ".join(str(entry.seq) for entry in walk.recovered[:20])
        yield f"what the torn lines said that these entries account for: {numbers}"
