"""Where a student came from, so that it can be loaded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sakedge.adapters.snapshot import PartSource
from sakedge.adapters.versions import Change


@dataclass(frozen=True)
class Origin:
    """The file that a student came from.

    Attributes:
        path: The file.
        content_digest: SHA-256 of what it computes.
        file_digest: SHA-256 of everything in it.
        load_ms: Milliseconds that loading took, by step.
        reload: Loads it again, also in another process, and applies these changes.
        adapter: Reads one of its adapters again.
    """

    path: str
    content_digest: str
    file_digest: str
    load_ms: Mapping[str, float]
    reload: Callable[[Mapping[str, Change]], object]
    adapter: Callable[[str], PartSource]
