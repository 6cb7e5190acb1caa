"""Signed notes, as c2sp.org/signed-note defines them, with Ed25519 keys."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sakedge.errors import AuditError, SignatureError

if TYPE_CHECKING:
    from sakedge.trust.keys import PrivateKey, PublicKey

MAX_BYTES = 1 << 16
_MOST_SIGNATURES = 16
_ED25519 = b"\x01"
_KEY_ID, _SIGNATURE = 4, 64
_LINE = re.compile(r"\u2014 ([^\s+]{1,256}) ([A-Za-z0-9+/]{8,1024}={0,2})")


def is_name(name: str) -> bool:
    """Whether this can be the name of a key: neither empty nor with spaces or a plus."""
    return re.fullmatch(r"[^\s+]{1,256}", name) is not None and name.isprintable()


def sign_note(text: str, name: str, key: PrivateKey) -> str:
    """Signs a text that ends with its last line's end.

    Args:
        text: The text.
        name: What the key is called in the note, see `is_name`.
        key: The key.
    """
    signature = _key_id(name, key.public) + key.sign(text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str | bytes, keys: Sequence[PublicKey]) -> tuple[str, tuple[str, ...]]:
    """Verifies a note.

    Signatures of unknown keys are passed over; a wrong one of a known key refuses the note.

    Args:
        note: The note.
        keys: Those that are trusted.

    Returns:
        Its text, and for each key that signed it `name` and the key's id, as `name keyid`.

    Raises:
        AuditError: It is no signed note.
        SignatureError: None of the keys signed it, or a signature is wrong.
    """
    text, signatures = _split(note)
    signed = []
    for name, content in signatures:
        for key in keys:
            if len(content) == _KEY_ID + _SIGNATURE and content[:_KEY_ID] == _key_id(name, key):
                key.verify(text.encode(), content[_KEY_ID:])
                signed.append(f"{name} {key.keyid}")
    if not signed:
        raise SignatureError(
            "the checkpoint is signed by none of the keys given",
            expected=f"key {', '.join(key.keyid for key in keys) or 'none was given'}",
            got=f"signatures of {', '.join(name for name, _ in signatures)}",
            remedy="Give the public key of the one that signed it",
        )
    return text, tuple(signed)


def _split(note: str | bytes) -> tuple[str, list[tuple[str, bytes]]]:
    try:
        content = note.decode() if isinstance(note, bytes) else note
        size = len(content.encode())
    except UnicodeError:
        raise _no_note("it is no text in UTF-8") from None
    if size > MAX_BYTES:
        raise _no_note(f"it has {size} bytes, more than {MAX_BYTES}")
    if any(c < " " and c != "\n" for c in content):
        raise _no_note("it holds control characters")
    body, separator, tail = content.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or len(lines) < 2 or lines.pop():
        raise _no_note("a blank line and lines of signatures must end it")
    if len(lines) > _MOST_SIGNATURES:
        raise _no_note(f"it has more than {_MOST_SIGNATURES} signatures")
    return f"{body}\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    match = _LINE.fullmatch(line)
    try:
        if match is not None:
            return match[1], base64.b64decode(match[2], validate=True)
    except ValueError:  # of its padding
        pass
    raise _no_note("a line of its signatures is malformed")


def _key_id(name: str, key: PublicKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key.raw).digest()[:_KEY_ID]


def _no_note(reason: str) -> AuditError:
    return AuditError(f"this is no signed checkpoint: {reason}", remedy="Check the file")
