"""Secret keys that decrypt: their text, and where a site keeps it.

The text has a key a line: an age identity (`AGE-SECRET-KEY-1…`, as `age-keygen` writes it) or an
AES-256 key (`SAKEDGE-GCM-KEY-1` and 64 hexadecimal digits). Lines with `#` in front are remarks.
Several keys in one text let a site change keys without a day on which nothing opens.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sakedge.errors import EncryptionError, KeyFileError, StorageError
from sakedge.files.bounded import read_bounded
from sakedge.logs import LOG
from sakedge.trust.keys import is_open
from sakedge.trust.library import needed

KeySource: TypeAlias = Callable[[], bytes]
"""Gives the text of secret keys. It is asked for each file, and nothing is kept."""

AGE, GCM = "AGE-SECRET-KEY-1", "SAKEDGE-GCM-KEY-1"
KEY_BYTES = 32
MAX_TEXT = 1 << 14
MAX_KEYS = 64


@dataclass(frozen=True, repr=False)
class Secrets:
    """Secret keys; shown nowhere.

    Attributes:
        age: Identities of age, as text.
        gcm: AES-256 keys, 32 bytes each.
    """

    age: tuple[str, ...] = ()
    gcm: tuple[bytes, ...] = ()


def key_file(path: Path) -> KeySource:
    """A file of secret keys. One that others may read is warned about in the log."""

    def read() -> bytes:
        text = read_bounded(path, MAX_TEXT, KeyFileError)
        if is_open(path):
            LOG.warning("others may read the secret key %s: run chmod 600 on it", path)
        return text

    return read


def key_variable(name: str) -> KeySource:
    """An environment variable that holds secret keys.

    Raises:
        EncryptionError: When asked: it is not set.
    """

    def read() -> bytes:
        text = os.environ.get(name, "")
        if not text:
            raise EncryptionError(
                "the key for encrypted files is missing",
                expected=f"the environment variable {name}",
                got="not set",
                remedy="Set it for this process, e.g. in its unit",
            )
        return text.encode(errors="replace")

    return read


def key_sources(*sources: KeySource) -> KeySource:
    """Several sources as one."""
    return lambda: b"\n".join(source() for source in sources)


def read_secrets(source: KeySource) -> Secrets:
    """Asks a source for its keys.

    Raises:
        EncryptionError: It gives none, or fails.
        KeyFileError: It gives something else; the message does not quote it.
        StorageError: Its file cannot be read.
    """
    try:
        text = source()
    except (EncryptionError, KeyFileError, StorageError):
        raise
    except Exception as error:  # of a function of the site's
        raise EncryptionError(
            f"the key for encrypted files could not be had: {type(error).__name__}",
            remedy="Look into the function that gives it",
        ) from error
    if not isinstance(text, bytes) or len(text) > MAX_TEXT:
        raise _no_keys("something else")
    lines = [line.strip() for line in text.decode(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or len(lines) > MAX_KEYS:
        raise _no_keys(f"{len(lines)} of them")
    age = tuple(line for line in lines if line.upper().startswith(AGE))
    gcm = tuple(_gcm_key(line) for line in lines if not line.upper().startswith(AGE))
    return Secrets(age, gcm)


def new_age() -> tuple[str, str]:
    """A new identity of age, and its public recipient (`age1…`)."""
    with needed("making an age key"):
        from pyrage import x25519
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def new_gcm() -> str:
    """The text of a new AES-256 key."""
    return f"{GCM} {secrets.token_hex(KEY_BYTES)}"


def _gcm_key(line: str) -> bytes:
    found = re.fullmatch(rf"{GCM} ([0-9a-fA-F]{{64}})", line)
    if found is None:
        raise _no_keys("a line that is neither")
    return bytes.fromhex(found[1])


def _no_keys(got: str) -> KeyFileError:
    return KeyFileError(
        "what is given as the key for encrypted files is none",
        expected=f"lines of {AGE}… or {GCM} and 64 hexadecimal digits, at most {MAX_KEYS}",
        got=got,
        remedy="Make one with `sakedge keys new --for age` or `--for gcm`",
    )
