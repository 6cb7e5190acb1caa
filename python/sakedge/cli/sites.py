"""The site of this machine, for the verbs that need one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.errors import OptionError

if TYPE_CHECKING:
    from sakedge.site import Site


def required_site(folder: Path | None, page: str) -> tuple[Site, Path]:
    """The site, and its folder.

    Args:
        folder: What was named; None is the machine's own.
        page: Of the docs, on how to make one.

    Raises:
        OptionError: None was named, and this machine has none.
        PolicyError, StorageError: It cannot be used.
    """
    from sakedge.site import Site

    site = Site.open(folder)
    if site.folder is None:
        raise OptionError(
            "this machine has no site",
            expected="/etc/sakedge with a policy.json, or another folder by --site",
            remedy=f"See {page} on how to make one",
        )
    return site, site.folder
