"""Names of files that hold on every file system."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from sakedge.errors import OptionError, shown

LONGEST = 255
"""Bytes of a name, in UTF-8, that common file systems take."""
_LONGEST_PART = 80
"""Bytes of what is appended to a name. A manifest's names have at most 64."""
_SHORTEST = 32
_DIGEST = 8
# Windows gives these to devices, whatever follows the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[\d¹²³])(\.|$)", re.IGNORECASE)


def legal_stem(text: str, room: int = LONGEST) -> str:
    """`text` as the beginning of a file's name, which makes it neither hidden nor a device.

    Args:
        text: Anything. What is no letter, digit, `_`, `.` or `-` becomes `_`.
        room: Most bytes of the stem. A longer one is cut and told apart by a digest of all of it.
    """
    stem = _legal(text).lstrip(".") or "image"
    return _cut(f"_{stem}" if _DEVICES.match(stem) else stem, room, text)


def is_plain_name(name: str) -> bool:
    """Whether a file in the current folder, on any system, can have this name."""
    return (
        name not in ("", ".", "..")
        and name.isprintable()
        and not set(name) & set('/\\:*?"<>|')
        and not _DEVICES.match(name)
        and len(name.encode()) <= LONGEST
    )


def given_stem(name: object, ends: Sequence[str]) -> str:
    """Checks a stem that a caller gave.

    Args:
        name: What was given.
        ends: All that will be appended to it.

    Raises:
        OptionError: It is no name, leads to another folder, or is too long.
    """
    longest = max(ends, key=len)
    if isinstance(name, str) and name and not set(name) & set("/\\\0"):
        with suppress(UnicodeEncodeError):
            if len(os.fsencode(f"{name}{longest}")) <= LONGEST:
                return name
    raise OptionError(
        "no file can have this name",
        expected=f"a name without a folder that leaves room for {longest} in {LONGEST} bytes",
        got=shown(name),
    )


def last_part(source: str) -> str:
    """The last part of a path or address, without its suffix, query and user."""
    _, is_address, address = source.partition("://")
    if not is_address:
        return Path(source).stem
    host, *folders = re.split(r"[?#]", address)[0].rstrip("/").split("/")
    return Path(folders[-1]).stem if folders else host.rpartition("@")[2]


def endings(parts: Sequence[str], suffix: str) -> list[str]:
    """What is appended to one stem for each of some parts, e.g. `_edge.png`; no two are one file.

    Args:
        parts: Any texts, e.g. names of tasks.
        suffix: Suffix of the files, e.g. `.png`.
    """
    taken, found = Names(), []
    for part in parts:
        legal = _cut(_legal(part), _LONGEST_PART, part)
        tries = (f"_{legal}{number}{suffix}" for number in _numbers())
        found.append(next(ending for ending in tries if taken.take([ending])))
    return found


class Names:
    """Names that were taken, to tell new ones from them.

    Names of one file where case or Unicode's forms make no difference count as one.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, names: Iterable[str]) -> bool:
        """Takes all of these names if none of them is taken yet; says whether it did."""
        keys = {_folded(name) for name in names}
        if keys & self._taken:
            return False
        self._taken |= keys
        return True

    def free_stem(self, stem: str, ends: Sequence[str]) -> str:
        """Takes `stem`, or `stem-2`, `stem-3` …, the first that is free with all of the endings."""
        tries = (f"{stem}{number}" for number in _numbers())
        return next(each for each in tries if self.take(f"{each}{end}" for end in ends))


def _numbers() -> Iterable[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", folded)


def _legal(text: str) -> str:
    plain = unicodedata.normalize("NFC", text)
    return re.sub("\0+", "_", "".join(c if _is_legal(c) else "\0" for c in plain))


def _is_legal(character: str) -> bool:
    # Marks are parts of letters, e.g. vowels in Devanagari.
    return character.isalnum() or character in "_.-" or unicodedata.category(character)[0] == "M"


def _cut(stem: str, room: int, whole: str) -> str:
    room = max(room, _SHORTEST)
    if len(stem.encode()) <= room:
        return stem
    digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]
    # A character that is cut in two goes as a whole.
    return f"{stem.encode()[: room - _DIGEST - 1].decode(errors='ignore')}_{digest}"
