"""`bundle.json`: for which machine a bundle is, and what is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sakedge.bundling.installer.listing import is_safe_path
from sakedge.errors import BundleError, NewerFormatError
from sakedge.format.strict_json import loads

NAME = "bundle.json"
VERSION = 1
MAX_BYTES = 1 << 20
_WORD = re.compile(r"[A-Za-z0-9_.+-]{1,100}")
_PYTHON = re.compile(r"3\.(\d{1,3})")
_GLIBC = re.compile(r"2\.(\d{1,3})")


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        target: Name of the target.
        sakedge: Version of sakedge.
        python: Version of Python, as 3.12.
        machine: As `uname -m` says it.
        glibc: The oldest that it runs with, as 2.35.
        signed: Whether it has an envelope.
        installed_bytes: What it takes when it is installed, without the student.
        student: The student's files; the first is the student.
        adapters: Packs for the store.
        config: Files for the site's folder.
        images: Images that an installation is tried on; none are the samples of sakedge.
    """

    target: str
    sakedge: str
    python: str
    machine: str
    glibc: str
    signed: bool
    installed_bytes: int
    student: tuple[str, ...]
    adapters: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    def write(self) -> bytes:
        """The file."""
        fields = {"format_version": VERSION, **asdict(self)}
        return json.dumps(fields, indent=2).encode() + b"\n"


def parse_manifest(content: bytes, listed: Mapping[str, str]) -> Manifest:
    """Reads `bundle.json`.

    Args:
        content: Its bytes.
        listed: The bundle's files.

    Raises:
        NewerFormatError: A newer sakedge made it.
        BundleError: It is malformed, or names files that are not in the bundle.
    """
    try:
        fields = loads(content, most_bytes=MAX_BYTES, most_keys=64)
        version = fields.pop("format_version")
        if version != VERSION:
            raise NewerFormatError(
                f"{NAME} needs another installer",
                expected=f"format version {VERSION}",
                got=f"version {version}",
                remedy="Take the install.sh that came with the bundle",
            )
        return _checked(Manifest(**{name: _plain(each) for name, each in fields.items()}), listed)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise BundleError(
            f"{NAME} cannot be used: {error}", remedy="Make the bundle again"
        ) from None


def minor(version: str) -> int:
    """The second number of a version of Python or glibc.

    Raises:
        ValueError: It is no such version.
    """
    found = _PYTHON.fullmatch(version) or _GLIBC.fullmatch(version)
    if found is None:
        raise ValueError(f"{version!r} is no version of Python 3 or glibc 2")
    return int(found[1])


def _checked(manifest: Manifest, listed: Mapping[str, str]) -> Manifest:
    for word in (manifest.target, manifest.sakedge, manifest.machine):
        if _WORD.fullmatch(word) is None:
            raise ValueError(f"{word!r} is no name")
    if _PYTHON.fullmatch(manifest.python) is None or _GLIBC.fullmatch(manifest.glibc) is None:
        raise ValueError("it names no version of Python 3 and glibc 2")
    if type(manifest.signed) is not bool or type(manifest.installed_bytes) is not int:
        raise ValueError("`signed` is true or false, `installed_bytes` a number")
    for folder in ("student", "adapters", "config", "images"):
        for name in getattr(manifest, folder):
            is_there = is_safe_path(name) and name.startswith(f"{folder}/") and name in listed
            if not is_there:
                raise ValueError(f"{name!r} is no file of the bundle in {folder}/")
    if not manifest.student:
        raise ValueError("it has no student")
    return manifest


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
