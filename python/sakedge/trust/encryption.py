"""Files encrypted at rest: by age, or by AES-256-GCM where a site needs it. To memory only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sakedge.errors import EncryptionError, KeyFileError, OptionError
from sakedge.trust import gcm
from sakedge.trust.library import needed
from sakedge.trust.secret_keys import KeySource, read_secrets

AGE_MAGIC = b"age-encryption.org/v1\n"
MAX_BYTES = 4 << 30
"""Of an encrypted file, which is decrypted in memory as a whole."""
_LONGEST_AGE_HEADER = 1 << 14
"""Each recipient takes some 100 bytes, and work to try."""


def is_encrypted(content: bytes | memoryview) -> bool:
    """Whether a file begins like one that `decrypt` opens."""
    return any(bytes(content[: len(magic)]) == magic for magic in (AGE_MAGIC, gcm.MAGIC))


def encrypt_age(content: bytes | memoryview, recipients: Sequence[str]) -> bytes:
    """Encrypts for some recipients of age (`age1…`), each of whom can decrypt it.

    Raises:
        OptionError: One of them is none, or there are none.
    """
    with needed("encrypting for age"):
        import pyrage
    if isinstance(recipients, str) or not recipients:
        raise OptionError("no recipients", expected="a list of age1…, one at least")
    try:
        those = [pyrage.x25519.Recipient.from_str(each) for each in recipients]
    except (pyrage.RecipientError, TypeError) as error:
        raise OptionError(
            f"no recipient of age: {error}", expected="age1…, as `age-keygen -y` prints it"
        ) from error
    return bytes(pyrage.encrypt(bytes(content), those))


def encrypt_gcm(content: bytes | memoryview, key: bytes) -> bytes:
    """Encrypts with an AES-256 key, 32 bytes.

    Raises:
        OptionError: The key is none.
    """
    return gcm.encrypt(content, key)


def decrypt(content: bytes | memoryview, name: str, keys: KeySource | None) -> bytes:
    """What an encrypted file holds. Nothing of it is written anywhere.

    Args:
        content: The file, see `is_encrypted`.
        name: Its name, for errors.
        keys: Where the secret keys come from; None where there are none.

    Raises:
        EncryptionError: It is not encrypted, or damaged; the key is missing or another one.
        KeyFileError, StorageError: The keys cannot be read.
    """
    if not is_encrypted(content):
        raise EncryptionError(f"{name} is not encrypted", expected="age or sakedge-gcm")
    if keys is None:
        raise EncryptionError(
            f"{name} is encrypted, and there is no key for it here",
            remedy="Name where the key is under `decryption` in the site's policy",
        )
    if len(content) > MAX_BYTES:
        raise EncryptionError(
            f"{name} is too large to be decrypted in memory",
            expected=f"at most {MAX_BYTES} bytes",
            got=f"{len(content)}",
        )
    secrets = read_secrets(keys)
    if bytes(content[: len(gcm.MAGIC)]) == gcm.MAGIC:
        return gcm.decrypt(content, name, secrets.gcm)
    return _decrypt_age(bytes(content), name, secrets.age)


def _decrypt_age(content: bytes, name: str, identities: Sequence[str]) -> bytes:
    if content.find(b"\n---", 0, _LONGEST_AGE_HEADER) < 0:
        raise EncryptionError(
            f"{name} has no age header that can be used",
            expected=f"its end within {_LONGEST_AGE_HEADER} bytes",
            remedy="Copy it again",
        )
    with needed("decrypting for age"):
        import pyrage
    keys = [_identity(text) for text in identities]
    if not keys:
        raise EncryptionError(
            f"{name} is encrypted by age, and there is no age key here",
            remedy="Add the key to the site's",
        )
    try:
        return bytes(pyrage.decrypt(content, keys))
    except pyrage.DecryptError as error:
        is_other = "matching keys" in str(error)
        raise EncryptionError(
            f"{name} {'is encrypted for another key' if is_other else 'was cut or changed'}",
            expected="a file of age for one of the keys here",
            got=str(error),
            remedy="Add that key to the site's" if is_other else "Copy it again",
        ) from None


def _identity(text: str) -> Any:
    with needed("decrypting for age"):
        import pyrage
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise KeyFileError(
            "a key of age is damaged",
            expected="AGE-SECRET-KEY-1…, as `age-keygen` writes it",
            remedy="Copy the key again",
        ) from None
