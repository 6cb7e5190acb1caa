"""What every backend of the stem is: three small types, two protocols, and what they share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import BackendError
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
        precision: Arithmetic of the stem: `fp32`, `bf16` or `fp16`.
        threads: Threads of the session, at least 1 (see `sakedge.runtime.threads`).
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


_ALIGNMENT = 64
"""Bytes: a cache line, and what OpenVINO asks for to write into a caller's buffer."""
_LONGEST = 300
_POSITIONS = ("Exception from ", "Check '")


def empty_features(batch: int, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Aligned, uninitialised arrays [batch, *shape] for a runtime to write its outputs into."""
    return [_empty((batch, *shape)) for shape in shapes]


def _empty(shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = 4 * math.prod(shape)
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32).reshape(shape)


def check_images(images: NDArray[np.float32], input_size: tuple[int, int]) -> NDArray[np.float32]:
    """Images as a runtime takes them, C-contiguous; no copy where they are so already.

    Raises:
        BackendError: They are not float32 [batch, 3, H, W].
    """
    if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != (3, *input_size):
        raise BackendError(
            "the stem cannot take these images",
            expected=f"float32 [batch, 3, {input_size[0]}, {input_size[1]}]",
            got=f"{images.dtype} {list(images.shape)}",
        )
    return np.ascontiguousarray(images)


def is_older(version: str, oldest: tuple[int, int]) -> bool:
    """Whether a version such as `2026.4.1` comes before `oldest`, e.g. (2026, 3)."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return tuple(numbers) < oldest


def gist(error: BaseException) -> str:
    """What a runtime's many-line message says, in one line and without its source positions."""
    lines = (line.strip() for line in str(error).splitlines())
    telling = [line for line in lines if line and not line.startswith(_POSITIONS)]
    text = " ".join(telling) or type(error).__name__
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…").rstrip(".")
