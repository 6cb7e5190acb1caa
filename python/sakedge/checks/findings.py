"""What `sakedge doctor` finds: one thing after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "warning", "failure"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: What it is about.
        status: `ok`, `note` (less than possible, and fine), `warning` or `failure`.
        text: What was found.
        remedy: What would improve it.
    """

    topic: str
    status: Status
    text: str
    remedy: str | None = None
