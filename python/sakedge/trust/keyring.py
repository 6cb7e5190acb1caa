"""The keys that a site trusts, and those that it does no longer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakedge.errors import (
    KeyFileError,
    OptionError,
    RevokedError,
    SignatureError,
    StorageError,
    shown,
)
from sakedge.files.atomic import atomic_write, storage_error
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import Digest, Text, first_problem
from sakedge.format.strict_json import loads
from sakedge.text import to_json
from sakedge.trust.keys import PublicKey

SUFFIX = ".pub"
REVOKED = "revoked.json"
MAX_KEYS = 64
"""Of one folder. Each is tried with each signature."""
MAX_REVOKED = 1024
_MAX_BYTES = 1 << 20


class Revocation(BaseModel):
    """Why a key is revoked.

    Attributes:
        since: When it was, as ISO 8601 in UTC.
        reason: As whoever did it put it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Text
    reason: Text = ""


class _Revoked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    revoked: Annotated[dict[Digest, Revocation], Field(max_length=MAX_REVOKED)]


@dataclass(frozen=True)
class Keyring:
    """Keys by their ids.

    Attributes:
        keys: Every key that was put there, revoked ones included.
        revoked: Why those are revoked that are. Their signatures count nothing.
        names: The files' names, without `.pub`, by id.
    """

    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    revoked: Mapping[str, Revocation] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, *keys: PublicKey) -> Keyring:
        """A keyring of just these keys."""
        return cls({key.keyid: key for key in keys})

    @classmethod
    def read(cls, folder: Path) -> Keyring:
        """Reads `*.pub` and `revoked.json` of a folder; one that is missing holds no keys.

        Raises:
            StorageError: Something cannot be read.
            KeyFileError: One of the files is malformed, or there are too many: none is left out.
        """
        keys, names = {}, {}
        for path in _key_files(folder):
            key = PublicKey.read(path)
            keys[key.keyid], names[key.keyid] = key, path.name.removesuffix(SUFFIX)
        return cls(keys, _read_revoked(folder / REVOKED), names)

    def find(self, given: str) -> str:
        """The id of a key that is given by its id, the first 8 digits of it or more, or its name.

        Raises:
            OptionError: No key here is meant, or more than one.
        """
        if re.fullmatch(r"[0-9a-f]{64}", given):
            return given
        is_start = re.fullmatch(r"[0-9a-f]{8,63}", given) is not None
        found = [
            keyid
            for keyid in {*self.keys, *self.revoked}
            if self.names.get(keyid) == given or (is_start and keyid.startswith(given))
        ]
        if len(found) != 1:
            raise OptionError(
                f"{len(found)} keys are meant by {shown(given)}",
                expected="a key's id, 8 digits of it or more, or the name of its file",
                remedy="See `sakedge keys list`",
            )
        return found[0]

    def check(self, data: bytes, signatures: Mapping[bytes, str], threshold: int) -> list[str]:
        """Checks signatures of `data`.

        The ids that come with signatures are hints that anyone can write: every trusted key is
        tried, and counts once.

        Args:
            data: What was signed.
            signatures: Each signature, with the id of the key that it claims.
            threshold: How many trusted keys must have signed.

        Returns:
            The ids of the keys, neither revoked nor unknown, that did.

        Raises:
            RevokedError: Too few did, and a revoked key is among those that signed.
            SignatureError: Too few did.
        """
        signed = [k for k, key in self.keys.items() if any(_fits(key, data, s) for s in signatures)]
        good = [keyid for keyid in signed if keyid not in self.revoked]
        if len(good) >= threshold:
            return good
        bad = [keyid for keyid in (*signed, *signatures.values()) if keyid in self.revoked]
        if bad:
            why = self.revoked[bad[0]]
            raise RevokedError(
                f"it is signed with key {bad[0]}, which is revoked since {why.since}"
                f"{f' ({why.reason})' if why.reason else ''}",
                remedy="Get it signed with a key that is trusted",
            )
        claimed = ", ".join(keyid[:16] or "none" for keyid in signatures.values())
        if good:
            raise SignatureError(
                "too few trusted keys have signed it",
                expected=f"{threshold} of them",
                got=f"{len(good)}",
                remedy="Get it signed with another key that is trusted, by `sakedge keys sign`",
            )
        raise SignatureError(
            "no trusted key has signed it",
            expected=f"one of {len(set(self.keys) - set(self.revoked))} keys",
            got=f"signatures said to be of {claimed or 'nobody'}",
            remedy="Get it from whom you trust, or trust the key with `sakedge keys trust`",
        )


def revoke(folder: Path, keyid: str, revocation: Revocation) -> None:
    """Notes in a folder of keys that a key is revoked; one that is revoked already stays so.

    Raises:
        StorageError: The folder cannot be written.
        KeyFileError: Its list is malformed or full.
    """
    path = folder / REVOKED
    revoked = {keyid: revocation, **_read_revoked(path)}
    if len(revoked) > MAX_REVOKED:
        raise KeyFileError(f"{path} is full", expected=f"at most {MAX_REVOKED} keys")
    content = _Revoked(revoked=revoked).model_dump()
    with atomic_write(path) as file:
        file.write(to_json(content, indent=2).encode())


def _key_files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error("cannot read", folder, error) from error
    if len(found) > MAX_KEYS:
        raise KeyFileError(f"{folder} holds too many keys", expected=f"at most {MAX_KEYS}")
    return found


def _read_revoked(path: Path) -> Mapping[str, Revocation]:
    try:
        text = read_bounded(path, _MAX_BYTES, KeyFileError)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        return {}
    try:
        return _Revoked.model_validate(
            loads(text, most_bytes=_MAX_BYTES, most_keys=MAX_REVOKED)
        ).revoked
    except ValidationError as error:
        reason = first_problem(error)
    except ValueError as error:
        reason = str(error)
    raise KeyFileError(
        f"{path} is no list of revoked keys: {reason}",
        remedy="Bring back the one that was there; without it nothing can be trusted",
    )


def _fits(key: PublicKey, data: bytes, signature: bytes) -> bool:
    try:
        key.verify(data, signature)
    except SignatureError:
        return False
    return True
