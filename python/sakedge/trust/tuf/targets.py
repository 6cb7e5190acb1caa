"""Targets: the files that a repository distributes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sakedge.errors import ReplayError
from sakedge.trust.tuf.names import check_target_name

if TYPE_CHECKING:
    from tuf.api.metadata import Targets


@dataclass(frozen=True)
class Target:
    """A file that may be installed.

    Attributes:
        name: Its name in the repository, with `/` between parts.
        length: Bytes.
        sha256: Its SHA-256, in hexadecimal.
        custom: What the publisher says of it, e.g. `kind`, `version`, `license`.
    """

    name: str
    length: int
    sha256: str
    custom: Mapping[str, Any]

    def check(self, content: bytes | memoryview) -> None:
        """Checks that bytes are this target's.

        Raises:
            ReplayError: They are of another version of the file, or damaged.
        """
        digest = hashlib.sha256(content).hexdigest()
        if len(content) != self.length or digest != self.sha256:
            raise ReplayError(
                f"{self.name} is not the file that the update repository lists now",
                expected=f"{self.length} bytes with SHA-256 {self.sha256}",
                got=f"{len(content)} with {digest}",
                remedy="Take the file from the repository again",
            )


def read_targets(targets: Targets) -> dict[str, Target]:
    """All targets that metadata list, by name.

    Raises:
        UnsafePathError: A name could lead elsewhere.
    """
    return {
        check_target_name(name): Target(
            name,
            found.length,
            found.hashes["sha256"],
            MappingProxyType(found.unrecognized_fields.get("custom", {})),
        )
        for name, found in targets.targets.items()
    }
