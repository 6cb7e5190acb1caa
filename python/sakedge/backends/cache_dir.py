"""Where compiled graphs are kept, or why nowhere."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sakedge.errors import OptionError

ENVIRONMENT = "SAKEDGE_CACHE"
_OFF = {"", "0", "off", "none"}


@dataclass(frozen=True)
class CacheDir:
    """Where compiled graphs are kept.

    Attributes:
        folder: It need not exist yet; None is nowhere.
        off: Why nowhere, e.g. `off`, for `student.explain()`; else empty.
    """

    folder: Path | None
    off: str = ""


def resolve_cache_dir(cache_dir: str | os.PathLike[str] | None = None) -> CacheDir:
    """Where compiled graphs are kept: the argument, else SAKEDGE_CACHE, else the user's cache.

    It is off for an empty argument, for SAKEDGE_CACHE set to nothing, `0`, `off` or `none`, and
    for a user without a home folder: none is created.

    Raises:
        OptionError: The argument is no path.
    """
    chosen = os.environ.get(ENVIRONMENT) if cache_dir is None else _path(cache_dir)
    if chosen is None:
        return _user_cache()
    if chosen.strip().lower() in _OFF:
        return CacheDir(None, "off")
    try:
        return CacheDir(Path(chosen).expanduser())
    except RuntimeError:  # `~` of a user without a home
        return CacheDir(None, f"off: {chosen} names a home folder that there is not")


def _path(given: object) -> str:
    try:
        text = os.fsdecode(given)  # type: ignore[arg-type]
        os.fsencode(text)
    except (TypeError, UnicodeError):
        text = "\0"
    if "\0" in text:
        raise OptionError(
            "cache_dir is no path",
            expected="a folder's path, '' for no cache, or None",
            got=repr(given)[:80],
        )
    return text


def _user_cache() -> CacheDir:
    variable = {"win32": "LOCALAPPDATA", "darwin": ""}.get(sys.platform, "XDG_CACHE_HOME")
    base = Path(os.environ.get(variable, ""))
    if base.is_absolute():
        return CacheDir(base / "sakedge")
    home = _home()
    if home is None:
        return CacheDir(None, f"off: no home folder; {ENVIRONMENT} or cache_dir can name a folder")
    inside = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    return CacheDir(home / inside / "sakedge")


def _home() -> Path | None:
    try:
        home = Path.home()
        named = os.environ.get("HOME") != ""  # Python takes the root folder for an empty one
        return home if named and home.is_absolute() and home.is_dir() else None
    except (RuntimeError, OSError):  # neither HOME nor an entry for this user; or not to be seen
        return None
