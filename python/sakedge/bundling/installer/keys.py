"""Whom a box trusts: the keys of its site, or those that were given, without any library."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sakedge.bundling.installer.ed25519 import KEY_BYTES
from sakedge.errors import KeyFileError, PolicyError, RevokedError, SignatureError
from sakedge.files.bounded import read_bounded
from sakedge.format.strict_json import loads

_MAX_KEY = 4096
_MAX_KEYS = 64
_MAX_JSON = 1 << 20
_MOST = 4096
# SubjectPublicKeyInfo of Ed25519 (RFC 8410) up to the key's own bytes.
_PREFIX = bytes.fromhex("302a300506032b6570032100")
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


@dataclass(frozen=True)
class Trust:
    """Keys, and what is asked of a signature.

    Attributes:
        keys: Raw public keys by id.
        revoked: Ids of those that count nothing any more.
        threshold: How many of the keys must have signed.
        required: Whether a bundle without that is refused.
    """

    keys: Mapping[str, bytes] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
    threshold: int = 1
    required: bool = False

    def check(self, signers: Sequence[str]) -> tuple[str, ...]:
        """The signers that are trusted.

        Args:
            signers: Ids of the keys whose signatures were found good.

        Raises:
            RevokedError, SignatureError: They are too few, and are required.
        """
        good = tuple(each for each in signers if each in self.keys and each not in self.revoked)
        if len(good) >= self.threshold or not self.required:
            return good
        revoked = [each for each in signers if each in self.revoked]
        if revoked:
            raise RevokedError(
                f"the bundle is signed with key {revoked[0]}, which is revoked here",
                remedy="Get it signed with a key that is trusted",
            )
        raise SignatureError(
            "too few of the keys that are trusted here have signed the bundle",
            expected=f"{self.threshold} of {', '.join(each[:16] for each in self.keys) or 'none'}",
            got=", ".join(each[:16] for each in signers) or "no signature",
            remedy="Get the bundle from whom you trust, or give the signer's key by --key",
        )


def keyid_of(raw: bytes) -> str:
    """The id of a public key."""
    return hashlib.sha256(raw).hexdigest()


def parse_key(text: bytes, name: str) -> bytes:
    """The 32 bytes of a public key in PEM; `name` is for errors.

    Raises:
        KeyFileError: It is no public Ed25519 key.
    """
    lines = text.decode("ascii", "replace").strip().splitlines()
    try:
        is_pem = len(lines) >= 3 and lines[0] == _BEGIN and lines[-1] == _END
        content = base64.b64decode("".join(lines[1:-1]), validate=True) if is_pem else b""
    except ValueError:  # no base64, no ASCII
        content = b""
    if len(content) != len(_PREFIX) + KEY_BYTES or not content.startswith(_PREFIX):
        raise KeyFileError(
            f"{name} is no key that can be used",
            expected="a public Ed25519 key as PEM",
            remedy="Make one with `sakedge keys new`",
        )
    return content[len(_PREFIX) :]


def read_key(path: Path) -> bytes:
    """Reads the file of a public key.

    Raises:
        KeyFileError: It is none.
        StorageError: It cannot be read.
    """
    return parse_key(read_bounded(path, _MAX_KEY, KeyFileError), path.name)


def read_trust(site: Path, given: Sequence[Path]) -> Trust:
    """Whom to trust: the keys that were given, or else those of the site.

    Args:
        site: The site's folder, which need not be there.
        given: Files of public keys. With one, a signature of one of them is required.

    Raises:
        PolicyError, KeyFileError: The site's files cannot be used: then nothing is installed.
        StorageError: Something cannot be read.
    """
    required, threshold = _policy(site / "policy.json")
    revoked = _revoked(site / "keys" / "revoked.json")
    paths = list(given) or sorted((site / "keys").glob("*.pub"))
    if len(paths) > _MAX_KEYS:
        raise KeyFileError("there are too many keys", expected=f"at most {_MAX_KEYS}")
    keys = {keyid_of(raw): raw for raw in map(read_key, paths)}
    return Trust(keys, revoked, 1 if given else threshold, bool(given) or required)


def _policy(path: Path) -> tuple[bool, int]:
    """Whether signatures are required, and how many. The whole policy is read by sakedge itself."""
    fields = _fields(path)
    wanted, threshold = fields.get("require_signature", "none"), fields.get("threshold", 1)
    is_known = wanted in ("none", "dsse", "tuf", "both")
    if not is_known or type(threshold) is not int or not 1 <= threshold <= 8:
        raise PolicyError(f"{path} is no policy that can be used", remedy="Correct it")
    return wanted != "none", threshold


def _revoked(path: Path) -> frozenset[str]:
    revoked = _fields(path).get("revoked", {})
    if not isinstance(revoked, dict):
        raise KeyFileError(f"{path} is no list of revoked keys", remedy="Correct it")
    return frozenset(revoked)


def _fields(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        fields = loads(read_bounded(path, _MAX_JSON), most_bytes=_MAX_JSON, most_keys=_MOST)
    except ValueError as error:
        raise PolicyError(f"{path} cannot be used: {error}", remedy="Correct it") from None
    if not isinstance(fields, dict) or fields.get("format_version") != 1:
        raise PolicyError(f"{path} cannot be used", expected="an object with format_version 1")
    return fields
