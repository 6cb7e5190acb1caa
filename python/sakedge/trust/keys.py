"""Ed25519 keys as PEM files: PKCS#8 for the private one, SubjectPublicKeyInfo for the public one.

A key's id is the SHA-256 of the 32 bytes of its public half, in hexadecimal.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.errors import KeyFileError, OptionError, SignatureError, shown
from sakedge.files.atomic import atomic_write
from sakedge.files.bounded import read_bounded
from sakedge.files.paths import file_path
from sakedge.logs import LOG
from sakedge.trust.library import needed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import CryptoSigner, SSlibKey

RAW_BYTES = 32
SIGNATURE_BYTES = 64
MAX_FILE = 4096
"""Bytes of a key's file. An Ed25519 key takes 120."""
_PRIVATE = 0o600


@dataclass(frozen=True)
class PublicKey:
    """A public key.

    Attributes:
        raw: Its 32 bytes.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.raw, bytes) or len(self.raw) != RAW_BYTES:
            raise OptionError("no Ed25519 key", expected=f"{RAW_BYTES} bytes", got=shown(self.raw))

    @cached_property
    def keyid(self) -> str:
        """SHA-256 of `raw`, in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()

    @classmethod
    def from_raw(cls, raw: bytes) -> PublicKey:
        """The key of 32 bytes.

        Raises:
            OptionError: They are not.
        """
        return cls(raw)

    @classmethod
    def from_pem(cls, text: bytes, name: str) -> PublicKey:
        """Reads PEM; `name` is for errors.

        Raises:
            KeyFileError: It is no public Ed25519 key.
        """
        with needed("reading a key"):
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives import serialization as form
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        try:
            key = form.load_pem_public_key(text)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _no_key(name, "public", "not that") from error
        if not isinstance(key, Ed25519PublicKey):
            raise _no_key(name, "public", f"another kind of key: {type(key).__name__}")
        return cls(key.public_bytes_raw())

    @classmethod
    def read(cls, path: str | Path) -> PublicKey:
        """Reads a key's file.

        Raises:
            StorageError: It cannot be read.
            KeyFileError: It is no public Ed25519 key.
        """
        path = file_path("a key", path)
        return cls.from_pem(read_bounded(path, MAX_FILE, KeyFileError), path.name)

    @cached_property
    def pem(self) -> bytes:
        """What its file holds."""
        with needed("writing a key"):
            from cryptography.hazmat.primitives import serialization as form
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)

    def write(self, path: str | Path) -> None:
        """Writes its file, which is no secret.

        Raises:
            StorageError: It cannot be written.
        """
        with atomic_write(file_path("a key", path)) as file:
            file.write(self.pem)

    def verify(self, data: bytes | memoryview, signature: bytes) -> None:
        """Checks that this key's owner signed `data`.

        Raises:
            SignatureError: He did not.
        """
        with needed("checking a signature"):
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except InvalidSignature:
            raise SignatureError(
                f"the signature is not that of key {self.keyid}",
                remedy="Copy the file and its signature again, or have it signed with that key",
            ) from None

    def sslib(self) -> SSlibKey:
        """The same as securesystemslib and TUF take it."""
        with needed("checking a signature"):
            from securesystemslib.signer import SSlibKey
        return SSlibKey(self.keyid, "ed25519", "ed25519", {"public": self.raw.hex()})


class PrivateKey:
    """A private key; its `repr` shows the id alone.

    Args:
        key: As the package `cryptography` has it.

    Attributes:
        public: The public half.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    @property
    def keyid(self) -> str:
        """Of the public half."""
        return self.public.keyid

    def __repr__(self) -> str:
        return f"PrivateKey({self.keyid})"

    def __reduce__(self) -> Any:
        raise TypeError("a private key is not pickled")

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new key, from the system's source of randomness."""
        with needed("making a key"):
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: str | Path) -> PrivateKey:
        """Reads a key's file. One that others may read is warned about in the log.

        Raises:
            StorageError: It cannot be read.
            KeyFileError: It is no private Ed25519 key, or one under a passphrase.
        """
        with needed("reading a key"):
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives import serialization as form
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        path = file_path("a key", path)
        text = read_bounded(path, MAX_FILE, KeyFileError)
        try:
            key = form.load_pem_private_key(text, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            got = "one under a passphrase" if isinstance(error, TypeError) else "not that"
            raise _no_key(path.name, "private", got) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_key(path.name, "private", f"another kind of key: {type(key).__name__}")
        if is_open(path):
            LOG.warning("others may read the private key %s: run chmod 600 on it", path)
        return cls(key)

    def write(self, path: str | Path) -> None:
        """Writes a file that only its owner may read, and never over one that is there.

        Raises:
            OptionError: Something of that name is there.
            StorageError: It cannot be written.
        """
        from cryptography.hazmat.primitives import serialization as form

        path = file_path("a key", path)
        text = self._key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        )
        write_private(path, text)

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, 64 bytes."""
        return self._key.sign(data)

    def signer(self) -> CryptoSigner:
        """The same as securesystemslib and TUF take it."""
        with needed("signing"):
            from securesystemslib.signer import CryptoSigner
        return CryptoSigner(self._key, self.public.sslib())


def write_private(path: Path, text: bytes) -> None:
    """Writes a file that only its owner may read, and never over one that is there.

    Raises:
        OptionError: Something of that name is there.
        StorageError: It cannot be written.
    """
    refuse_existing(path)
    with atomic_write(path) as file:
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), _PRIVATE)
        file.write(text)


def refuse_existing(*paths: Path) -> None:
    """Refuses names of keys that something has already.

    Raises:
        OptionError: One of them is there.
    """
    for path in paths:
        if os.path.lexists(path):
            raise OptionError(
                f"{path} is there already, and a key that is overwritten is lost",
                remedy="Choose another name",
            )


def is_open(path: Path) -> bool:
    """Whether others than a file's owner may read it, as far as its permissions tell."""
    try:
        mode = path.stat().st_mode
    except OSError:  # gone meanwhile
        return False
    return os.name == "posix" and bool(stat.S_IMODE(mode) & 0o077)


def _no_key(name: str, half: str, got: str) -> KeyFileError:
    return KeyFileError(
        f"{name} is no key that can be used",
        expected=f"a {half} Ed25519 key as PEM",
        got=got,
        remedy="Make one with `sakedge keys new`",
    )
