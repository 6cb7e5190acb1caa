"""What every backend of the stem is: three small types and two protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakedge.format import StemModel

Features = Sequence[NDArray[np.float32]]
"""The stem's outputs x0 … xD, each float32 [batch, 1 + tokens, C], C-contiguous."""


@dataclass(frozen=True)
class Support:
    """Whether a backend can run here, and why not if it cannot."""

    ok: bool
    reason: str


@dataclass(frozen=True)
class StemOptions:
    """How to compile a stem.

    Attributes:
        device: `CPU`, `GPU`, `NPU`, `AUTO`, or None for the backend's default.
        precision: Arithmetic of the stem: `fp32` or `bf16`.
        threads: Threads of the session, at least 1 (see `sakedge.threads`).
        cache_dir: Where compiled stems are kept; None means no cache.
        config: The runtime's own options, passed on as they are.
    """

    device: str | None = None
    precision: str = "fp32"
    threads: int = 1
    cache_dir: Path | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


class StemSession(Protocol):
    """A compiled stem. Safe to run from many threads at once."""

    @property
    def details(self) -> Mapping[str, str]:
        """What `student.explain()` tells: runtime, version, device, precision, cache hit or not."""
        ...

    def run(self, images: NDArray[np.float32]) -> Features:
        """Runs the stem on normalised images, float32 [batch, 3, H, W]."""
        ...


class Backend(Protocol):
    """A runtime that can compile and run the stem."""

    name: str

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether this backend can run on the device at the precision, and why not."""
        ...

    def compile(self, stem: StemModel, options: StemOptions) -> StemSession:
        """Compiles the stem.

        Raises:
            BackendError: The runtime refused the model or the options.
        """
        ...
