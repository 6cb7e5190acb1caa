"""The signature of a bundle: an in-toto statement on all its files in a DSSE envelope.

The same envelope as `sakedge keys sign FOLDER` writes, checked without any library, and to the
byte: what differs from the one form in which it is written was changed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from sakedge.bundling.installer.ed25519 import is_signature
from sakedge.bundling.installer.keys import keyid_of
from sakedge.errors import EnvelopeError
from sakedge.format.strict_json import loads

NAME = "folder.dsse.json"
MAX_BYTES = 5 << 20
_TYPE = "application/vnd.in-toto+json"
_MOST = 64
_MAX_SIGNATURES = 8


def check_envelope(
    text: bytes, files: Mapping[str, str], keys: Mapping[str, bytes]
) -> tuple[str, ...]:
    """Checks that an envelope is whole, is of just these files, and that its signatures are good.

    Args:
        text: The envelope.
        files: Path → SHA-256 of every file but the envelope.
        keys: Raw public keys by id: those of the site, and those that the bundle brings, whose
            good signature shows that it is whole and nothing more.

    Returns:
        The ids of the keys that signed.

    Raises:
        EnvelopeError: It is not, or one of its signatures cannot be checked with these keys.
    """
    try:
        payload, signatures = _opened(text)
        statement = loads(payload, most_bytes=MAX_BYTES, most_keys=_MOST)
        signed = _files(statement)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refused(f"it is malformed: {error}") from None
    signers = [_signer(payload, keyid, signature, keys) for keyid, signature in signatures]
    if signed != dict(files):
        names = sorted(dict(signed.items() ^ files.items()))
        raise _refused(f"it was made for other files: {', '.join(names[:5])}")
    if len(set(signers)) < len(signers):
        raise _refused("a key has signed twice")
    return tuple(signers)


def _signer(payload: bytes, keyid: str, signature: bytes, keys: Mapping[str, bytes]) -> str:
    raw = keys.get(keyid)
    if raw is None or keyid_of(raw) != keyid:
        raise _refused(
            f"it has a signature of key {keyid[:64]}, which is not here",
            "Copy the bundle again, or give the key by --key",
        )
    kind = _TYPE.encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    if not is_signature(raw, signed, signature):
        raise _refused(f"the signature of key {keyid} is not good")
    return keyid


def _opened(text: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    fields = loads(text, most_bytes=MAX_BYTES, most_keys=_MOST)
    payload = base64.b64decode(fields["payload"], validate=True)
    rows = fields["signatures"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MAX_SIGNATURES:
        raise ValueError("it has no signatures, or too many")
    signatures = [(row["keyid"], base64.b64decode(row["sig"], validate=True)) for row in rows]
    if not all(isinstance(keyid, str) for keyid, _ in signatures):
        raise ValueError("a key's id is no text")
    written = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": _TYPE,
        "signatures": [
            {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
            for keyid, signature in signatures
        ],
    }
    if text != json.dumps(written, indent=2).encode():
        raise ValueError("it is not in the form in which it was written")
    return payload, signatures


def _files(statement: dict[str, Any]) -> dict[str, str]:
    if statement["predicateType"] != "sakedge:folder/v1":
        raise ValueError("it is not of a folder")
    return {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}


def _refused(reason: str, remedy: str = "Copy the bundle again") -> EnvelopeError:
    return EnvelopeError(f"the envelope is refused: {reason}", remedy=remedy)
