"""Where the keys of a site are, for the verbs that need one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.cli.output import remark
from sakedge.errors import OptionError

if TYPE_CHECKING:
    from sakedge.site import Site
    from sakedge.trust.keyring import Keyring


def keys_of(folder: Path | None) -> tuple[Site, Path, Keyring]:
    """The site, its folder of keys, and what is in it.

    Raises:
        OptionError: None was named, and this machine has none.
        PolicyError, KeyFileError, StorageError: It cannot be used.
    """
    from sakedge.site import Site
    from sakedge.site.site import KEYS, open_to_others

    site = Site.open(folder)
    if site.folder is None:
        raise OptionError(
            "this machine has no site",
            expected="/etc/sakedge with a policy.json, or another folder by --site",
            remedy="See docs/trust.md on how to make one",
        )
    for path in open_to_others(site.folder):
        remark(f"warning: others may write to {path}: run chmod go-w on it")
    return site, site.folder / KEYS, site.keyring
