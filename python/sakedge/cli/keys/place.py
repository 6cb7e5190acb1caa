"""Where the keys of a site are, for the verbs that need one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.cli.output import remark
from sakedge.cli.sites import required_site

if TYPE_CHECKING:
    from sakedge.site import Site
    from sakedge.trust.keyring import Keyring


def keys_of(folder: Path | None) -> tuple[Site, Path, Keyring]:
    """The site, its folder of keys, and what is in it.

    Raises:
        OptionError: None was named, and this machine has none.
        PolicyError, KeyFileError, StorageError: It cannot be used.
    """
    from sakedge.site.site import KEYS, open_to_others

    site, place = required_site(folder, "docs/trust.md")
    for path in open_to_others(place):
        remark(f"warning: others may write to {path}: run chmod go-w on it")
    return site, place / KEYS, site.keyring
