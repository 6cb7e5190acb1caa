"""How a log is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sakedge.arguments import in_range, one_of

SMALLEST_ROTATION = 4096
"""Bytes."""


@dataclass(frozen=True)
class AuditSettings:
    """How a log is written.

    Attributes:
        rotate_bytes: A file of at least so many bytes is followed by another one.
        sync: `always` waits for each entry to be on the disk; `never` leaves that to the system,
            which may lose the last entries when the power is cut.
        timeout: Seconds to wait for other writers.

    Raises:
        OptionError: One of them is not such a value.
    """

    rotate_bytes: int = 16 << 20
    sync: Literal["always", "never"] = "always"
    timeout: float = 10.0

    def __post_init__(self) -> None:
        in_range("rotate_bytes", self.rotate_bytes, low=SMALLEST_ROTATION, whole=True)
        one_of("sync of the audit log", self.sync, ("always", "never"))
        in_range("timeout", self.timeout, low=0)
