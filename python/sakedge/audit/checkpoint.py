"""Checkpoints, as c2sp.org/tlog-checkpoint defines them: a log's origin, size and root, signed."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.audit.merkle import MAX_SIZE
from sakedge.audit.note import MAX_BYTES, is_name, open_note, sign_note
from sakedge.audit.who import host
from sakedge.errors import AuditError, OptionError, shown
from sakedge.files.atomic import atomic_write, is_there, make_folder
from sakedge.files.bounded import read_bounded
from sakedge.files.paths import file_path

if TYPE_CHECKING:
    from sakedge.trust.keys import PrivateKey, PublicKey

_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*")


@dataclass(frozen=True)
class Checkpoint:
    """What a log was at one time.

    Attributes:
        origin: Names the log.
        size: Number of its lines.
        root: Root of the Merkle tree over them, RFC 6962.
        signers: Who signed it, as `name keyid`; empty in one that was not signed yet.
    """

    origin: str
    size: int
    root: bytes
    signers: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, key: PrivateKey) -> str:
        """The signed checkpoint; the key is called as the log."""
        return sign_note(self.text, self.origin, key)

    @classmethod
    def read(cls, note: str | bytes, keys: Sequence[PublicKey]) -> Checkpoint:
        """Verifies a checkpoint, and reads it only then.

        Raises:
            AuditError: It is no signed checkpoint.
            SignatureError: None of the keys signed it, or a signature is wrong.
        """
        text, signers = open_note(note, keys)
        match = _TEXT.fullmatch(text)
        root = b"" if match is None else base64.b64decode(match[3])
        if match is None or int(match[2]) >= MAX_SIZE:
            raise AuditError(
                "this is no checkpoint, though it is signed",
                expected="the lines origin, size and root",
                remedy="Check the file",
            )
        return cls(match[1], int(match[2]), root, signers)


def origin_of(given: str | None) -> str:
    """The origin given, or that of this machine.

    Raises:
        OptionError: It is none that a checkpoint can have.
    """
    origin = f"{host()}/sakedge-audit" if given is None else given
    if not isinstance(origin, str) or not is_name(origin):
        raise OptionError(
            "the origin of a checkpoint is not right",
            expected="up to 256 characters without spaces and plus, such as example.com/line3/box7",
            got=shown(origin),
        )
    return origin


def read_checkpoint_file(path: Path) -> bytes:
    """The content of a checkpoint's file, which is verified later.

    Raises:
        StorageError: It cannot be read.
        AuditError: It is too long to be one.
    """
    return read_bounded(file_path("a checkpoint", path), MAX_BYTES, AuditError)


def write_checkpoint(folder: Path, note: str) -> Path:
    """Writes a signed checkpoint to a folder, under the size of its log.

    Args:
        folder: Of this log's checkpoints alone, best on another machine.
        note: From `AuditLog.checkpoint`.

    Raises:
        StorageError: It cannot be written.
        AuditError: One of this size is there and states another log: that log was rewritten, or
            the folder is another log's.
    """
    folder = file_path("the folder of checkpoints", folder)
    size = note.split("\n", 2)[1]
    path = folder / f"checkpoint-{int(size):012d}.txt"
    make_folder(folder)
    if is_there(path):
        there = read_checkpoint_file(path)
        if there.partition(b"\n\n")[0] != note.encode().partition(b"\n\n")[0]:
            raise AuditError(
                f"{path} is the checkpoint of another log of the same size",
                remedy="Compare both logs; give each log a folder of its own",
            )
    with atomic_write(path) as file:
        file.write(note.encode())
    return path
