"""Where the keys of a site are, for the verbs that need one."""

from __future__ import annotations

from pathlib import Path

from sakedge.errors import OptionError
from sakedge.site import Site
from sakedge.site.site import KEYS
from sakedge.trust.keyring import Keyring


def keys_of(folder: Path | None) -> tuple[Site, Path, Keyring]:
    """The site, its folder of keys, and what is in it.

    Raises:
        OptionError: None was named, and this machine has none.
        PolicyError, KeyFileError, StorageError: It cannot be used.
    """
    site = Site.open(folder)
    if site.folder is None:
        raise OptionError(
            "this machine has no site",
            expected="/etc/sakedge with a policy.json, or another folder by --site",
            remedy="See docs/trust.md on how to make one",
        )
    return site, site.folder / KEYS, site.keyring
