"""The envelope: DSSE, version 1, read within bounds. What it holds is not looked at here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from sakedge.errors import EnvelopeError
from sakedge.format.schema import OpenModel, first_problem
from sakedge.format.strict_json import loads
from sakedge.trust import statement
from sakedge.trust.keys import SIGNATURE_BYTES
from sakedge.trust.library import needed

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SUFFIX = ".dsse.json"
MAX_BYTES = 5 << 20
"""Of an envelope. That of a file has 1 kB, that of a folder of a thousand files 150 kB."""
MAX_SIGNATURES = 8
_MAX_KEYS = 64
_URL_SAFE = str.maketrans("-_", "+/")
"""Verifiers accept either alphabet, says DSSE."""


class _Signature(OpenModel):
    keyid: Annotated[str, Field(max_length=128)] = ""
    sig: Annotated[str, Field(min_length=1, max_length=128)]


class _Envelope(OpenModel):
    payload: Annotated[str, Field(max_length=MAX_BYTES)]
    payloadType: Literal["application/vnd.in-toto+json"]  # noqa: N815
    signatures: Annotated[
        list[_Signature], Field(min_length=1, max_length=MAX_SIGNATURES, fail_fast=True)
    ]


@dataclass(frozen=True)
class Sealed:
    """An envelope as it was found.

    Attributes:
        payload: What was signed, unread.
        signatures: Each signature, with the id of the key that it claims.
    """

    payload: bytes
    signatures: Mapping[bytes, str]

    @property
    def signed(self) -> bytes:
        """The bytes that signatures are of (DSSE's pre-authentication encoding)."""
        with needed("checking a signature"):
            from securesystemslib.dsse import Envelope
        return Envelope(self.payload, PAYLOAD_TYPE, {}).pae()

    def to_json(self) -> dict[str, Any]:
        """As its file holds it."""
        return {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
                for signature, keyid in self.signatures.items()
            ],
        }


def open_envelope(text: bytes, name: str) -> Sealed:
    """Reads an envelope's JSON; `name` is for errors.

    Raises:
        EnvelopeError: It is malformed or too large.
    """
    try:
        fields = loads(text, most_bytes=MAX_BYTES, most_keys=_MAX_KEYS)
        found = _Envelope.model_validate(fields)
        payload = _decoded("payload", found.payload)
        if len(payload) > statement.MAX_BYTES:
            raise ValueError(f"its payload has more than {statement.MAX_BYTES} bytes")
        signatures = {_signature(each.sig): each.keyid for each in found.signatures}
    except ValidationError as error:
        reason = first_problem(error)
    except ValueError as error:
        reason = str(error)
    else:
        return Sealed(payload, signatures)
    raise EnvelopeError(
        f"{name} is no envelope that can be used: {reason}",
        expected="DSSE with Ed25519 signatures of an in-toto statement",
        remedy="Copy it again, or sign the file again with `sakedge keys sign`",
    )


def _signature(text: str) -> bytes:
    signature = _decoded("sig", text)
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {len(signature)} bytes, not {SIGNATURE_BYTES}")
    return signature


def _decoded(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{field} is no base64: {error}") from None
