"""Signatures beside files: `FILE.dsse.json` says who made FILE.

An envelope is checked from outside in, and nothing is read before what holds it was found sound:
size, envelope, signatures by trusted keys, statement, digest, name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sakedge.errors import (
    EnvelopeError,
    OptionError,
    SignatureError,
    StorageError,
    TrustError,
)
from sakedge.files.atomic import atomic_write, is_there
from sakedge.files.bounded import read_bounded
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import file_path
from sakedge.text import to_json
from sakedge.trust.dsse import MAX_BYTES, SUFFIX, Sealed, open_envelope
from sakedge.trust.keyring import Keyring
from sakedge.trust.keys import PrivateKey
from sakedge.trust.statement import FILE, Statement, Subject, make_statement, parse_statement

FOLDER_ENVELOPE = f"folder{SUFFIX}"
_PASSING = ("created", "tool")
"""Of a predicate, what differs between two signers of the same."""


@dataclass(frozen=True)
class Signed:
    """What was found signed.

    Attributes:
        keyids: Of the trusted keys that signed.
        predicate: What the maker says of it. Nothing is decided by it.
        subject: The file; of a folder, the first one.
    """

    keyids: tuple[str, ...]
    predicate: Mapping[str, Any]
    subject: Subject


def envelope_path(path: Path) -> Path:
    """Where the envelope of a file lies."""
    return path.with_name(f"{path.name}{SUFFIX}")


def read_envelope(path: Path) -> bytes:
    """The envelope beside a file, unread.

    Raises:
        SignatureError: There is none.
        StorageError: It cannot be read.
        EnvelopeError: It is too large.
    """
    return _read(envelope_path(path), path.name)


def read_folder_envelope(folder: Path) -> bytes:
    """The envelope in a folder, unread; errors as for `read_envelope`."""
    return _read(folder / FOLDER_ENVELOPE, f"the folder {folder.name}")


def _read(path: Path, what: str) -> bytes:
    try:
        return read_bounded(path, MAX_BYTES, EnvelopeError)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
    raise SignatureError(
        f"{what} is not signed",
        expected=f"a signature in {path.name}",
        got="none",
        remedy="Copy both together, or sign with `sakedge keys sign`",
    )


def verify_content(
    content: bytes | memoryview,
    name: str,
    envelope: bytes,
    keyring: Keyring,
    *,
    threshold: int = 1,
) -> Signed:
    """Checks that trusted keys signed just these bytes under just this name.

    Args:
        content: The file's bytes, as they lie.
        name: Its name.
        envelope: The bytes of its envelope.
        keyring: The keys that are trusted.
        threshold: How many of them must have signed.

    Raises:
        EnvelopeError: The envelope is malformed.
        RevokedError, SignatureError: Too few trusted keys signed it, or it is of another file.
    """
    digest = hashlib.sha256(content).hexdigest()
    return verify_digest(digest, name, envelope, keyring, threshold=threshold)


def verify_digest(
    digest: str, name: str, envelope: bytes, keyring: Keyring, *, threshold: int = 1
) -> Signed:
    """The same for a file whose SHA-256 is known."""
    keyids, found = open_statement(envelope, name, FILE, keyring, threshold)
    if len(found.subject) != 1:
        raise EnvelopeError(f"the envelope of {name} is of {len(found.subject)} files, not of one")
    subject = found.subjects[0]
    if digest != subject.sha256:
        raise SignatureError(
            f"{name} is not the file that was signed",
            expected=f"SHA-256 {subject.sha256}",
            got=digest,
            remedy="Copy the file and its envelope again",
        )
    if name != subject.name:
        raise SignatureError(
            f"{name} was signed under another name",
            expected=subject.name,
            got=name,
            remedy="Give it back its name: what a line runs is named by whoever made it",
        )
    return Signed(tuple(keyids), MappingProxyType(found.predicate), subject)


def sign_file(path: str | Path, key: PrivateKey, *, predicate: Mapping[str, Any]) -> Path:
    """Signs a file, and writes the envelope beside it.

    An envelope that is there gets this signature too if it says the same of the same file. One of
    other content is replaced: it does not fit the file any more.

    Args:
        path: The file.
        key: Who signs.
        predicate: What is said of it, for people; JSON.

    Returns:
        The envelope's path.

    Raises:
        StorageError: The file cannot be read, or the envelope not written.
        EnvelopeError: The envelope that is there is malformed.
        OptionError: It says something else of the same file, or the predicate is no JSON.
    """
    path = file_path("a file to sign", path)
    file = MappedFile(path)
    subject = Subject(path.name, hashlib.sha256(file.data).hexdigest())
    file.close()
    seal([subject], FILE, predicate, key, envelope_path(path))
    return envelope_path(path)


def seal(
    subjects: list[Subject], kind: str, predicate: Mapping[str, Any], key: PrivateKey, to: Path
) -> None:
    """Signs a statement and writes its envelope, as `sign_file` does."""
    try:
        payload = make_statement(subjects, predicate, kind)
        parse_statement(payload, to.name)
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"the predicate of {to.name} is no JSON: {error}"
        raise OptionError(problem, expected="what JSON can hold") from error
    there = _to_join(to, payload)
    payload = payload if there is None else there.payload
    signatures = {} if there is None else dict(there.signatures)
    signature = key.sign(Sealed(payload, {}).signed)
    sealed = Sealed(payload, {**signatures, signature: key.keyid})
    content = to_json(sealed.to_json(), indent=2).encode()
    open_envelope(content, to.name)  # as its reader will
    with atomic_write(to) as file:
        file.write(content)


def open_statement(
    envelope: bytes, name: str, kind: str, keyring: Keyring, threshold: int
) -> tuple[list[str], Statement]:
    """Checks an envelope's signatures and only then reads its statement, as `verify_content` does.

    Returns:
        The ids of the trusted keys that signed, and the statement.
    """
    sealed = open_envelope(envelope, f"the envelope of {name}")
    try:
        keyids = keyring.check(sealed.signed, sealed.signatures, threshold)
    except TrustError as error:
        raise type(error)(
            f"{name} is not trusted: {error.problem}",
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
        ) from None
    found = parse_statement(sealed.payload, f"the envelope of {name}")
    if found.predicateType != kind:
        raise EnvelopeError(
            f"the envelope of {name} is of something else",
            expected=kind,
            got=found.predicateType,
        )
    return keyids, found


def _to_join(path: Path, payload: bytes) -> Sealed | None:
    """The envelope that is there, if it is of the same files."""
    if not is_there(path):
        return None
    there = open_envelope(read_bounded(path, MAX_BYTES, EnvelopeError), path.name)
    ours = parse_statement(payload, path.name)
    theirs = parse_statement(there.payload, path.name)
    if ours.subject != theirs.subject:
        return None
    passing = {name: theirs.predicate[name] for name in _PASSING if name in theirs.predicate}
    same = make_statement(ours.subjects, {**ours.predicate, **passing}, ours.predicateType)
    if there.payload != same:
        raise OptionError(
            f"{path.name} says something else of the same file",
            remedy="Remove it, and let everybody sign again",
        )
    return there
