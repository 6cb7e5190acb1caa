r"""The container `sakedge-gcm 1`: AES-256-GCM in chunks.

    14 bytes  b"sakedge-gcm 1\n"
    16        id of the key: the first half of SHA-256(b"sakedge-gcm key" + key)
    32        salt, random for each file
     8        length of the content, little-endian
    then      the content in chunks of 1 MiB, each followed by its tag of 16 bytes;
              the last one may be shorter, and is there even for an empty file

The file's own key is HKDF-SHA256(key, salt, info = the first 14 bytes). A chunk's nonce is its
number in 11 bytes, big-endian, and a byte that is 1 for the last chunk (the STREAM construction).
All of the header is authenticated with each chunk. So no byte can be changed, no chunk moved, left
out or repeated, and no tail cut. Every algorithm is one that FIPS 140 approves.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sakedge.errors import EncryptionError, OptionError
from sakedge.trust.library import needed
from sakedge.trust.secret_keys import KEY_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"sakedge-gcm 1\n"
CHUNK = 1 << 20
TAG = 16
_ID, _SALT, _LENGTH = 16, 32, 8
HEADER = len(MAGIC) + _ID + _SALT + _LENGTH


@dataclass(frozen=True)
class _Header:
    key_id: bytes
    salt: bytes
    length: int

    @property
    def content(self) -> bytes:
        return MAGIC + self.key_id + self.salt + self.length.to_bytes(_LENGTH, "little")

    @property
    def chunks(self) -> int:
        return max(1, -(-self.length // CHUNK))

    def nonce(self, number: int) -> bytes:
        return number.to_bytes(11, "big") + bytes([number == self.chunks - 1])


def encrypt(content: bytes | memoryview, key: bytes) -> bytes:
    """Encrypts with an AES-256 key.

    Raises:
        OptionError: The key is not one.
    """
    if not isinstance(key, bytes) or len(key) != KEY_BYTES:
        raise OptionError("no AES-256 key", expected=f"{KEY_BYTES} bytes")
    header = _Header(key_id(key), os.urandom(_SALT), len(content))
    cipher, parts = _cipher(key, header.salt), [header.content]
    for number in range(header.chunks):
        chunk = bytes(content[number * CHUNK : (number + 1) * CHUNK])
        parts.append(cipher.encrypt(header.nonce(number), chunk, header.content))
    return b"".join(parts)


def decrypt(content: bytes | memoryview, name: str, keys: Sequence[bytes]) -> bytes:
    """Decrypts with the one of some keys that it was encrypted with.

    Raises:
        EncryptionError: None of them is, or the file was cut or changed.
    """
    header = _read_header(content, name)
    key = next((key for key in keys if key_id(key) == header.key_id), None)
    if key is None:
        raise EncryptionError(
            f"{name} is encrypted with another key",
            expected=f"the AES key with the id {header.key_id.hex()}",
            got=", ".join(key_id(each).hex() for each in keys) or "no AES key",
            remedy="Add that key to the site's, or encrypt the file again",
        )
    expected = HEADER + header.length + header.chunks * TAG
    if len(content) != expected:
        raise EncryptionError(
            f"{name} {'was cut short' if len(content) < expected else 'has surplus bytes'}",
            expected=f"{expected} bytes",
            got=f"{len(content)}",
            remedy="Copy it again",
        )
    with needed("decrypting a file"):
        from cryptography.exceptions import InvalidTag
    cipher, parts = _cipher(key, header.salt), []
    for number in range(header.chunks):
        start = HEADER + number * (CHUNK + TAG)
        chunk = bytes(content[start : start + CHUNK + TAG])
        try:
            parts.append(cipher.decrypt(header.nonce(number), chunk, header.content))
        except InvalidTag:
            raise EncryptionError(
                f"{name} was changed, or its chunks put in another order",
                expected="every chunk as it was encrypted",
                got=f"another one in place of chunk {number + 1} of {header.chunks}",
                remedy="Copy it again",
            ) from None
    return b"".join(parts)


def key_id(key: bytes) -> bytes:
    """Tells keys apart without giving them away."""
    return hashlib.sha256(b"sakedge-gcm key" + key).digest()[:_ID]


def _read_header(content: bytes | memoryview, name: str) -> _Header:
    if len(content) < HEADER + TAG:
        raise EncryptionError(
            f"{name} was cut short",
            expected=f"at least {HEADER + TAG} bytes",
            got=f"{len(content)}",
            remedy="Copy it again",
        )
    at = len(MAGIC)
    salt = at + _ID
    length = int.from_bytes(content[HEADER - _LENGTH : HEADER], "little")
    return _Header(bytes(content[at:salt]), bytes(content[salt : salt + _SALT]), length)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    with needed("encryption"):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, MAGIC).derive(key))
