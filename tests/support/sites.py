"""Sites with a policy, a trusted key and a log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sakedge.audit import Entry, entries
from sakedge.site import Site
from sakedge.trust.keys import PrivateKey


class Place:
    """A site's folder, whose policy can be written anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, PrivateKey.generate()
        (folder / "keys").mkdir(parents=True)
        self.key.public.write(folder / "keys" / "line.pub")

    def open(self, **policy: Any) -> Site:
        fields = {"format_version": 1, **policy}
        (self.folder / "policy.json").write_text(json.dumps(fields))
        return Site.open(self.folder)

    def log(self) -> list[Entry]:
        """What was recorded, without how the log and the process began."""
        found = entries(self.folder / "audit")
        return [each for each in found if each.action not in ("begin", "policy.load")]
