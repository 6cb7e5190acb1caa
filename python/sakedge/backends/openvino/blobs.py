"""A compiled graph in the cache, as the blob that OpenVINO exports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends import cache
from sakedge.backends.base import CompileOptions
from sakedge.backends.openvino.core import core, version
from sakedge.backends.openvino.devices import capabilities, identity
from sakedge.backends.openvino.lending import lend
from sakedge.backends.runtimes import gist
from sakedge.format import Subgraph

CPU_LIMIT = 128 << 20
"""Bytes of weights up to which reading a blob beats compiling on a CPU (`docs/backends.md`)."""


def is_large(subgraph: Subgraph) -> bool:
    """Whether a graph is compiled faster on a CPU than its blob is read."""
    return sum(weight.nbytes for weight in subgraph.weights.values()) > CPU_LIMIT


class Blob:
    """One graph's entry in the cache.

    Attributes:
        state: What happened to it: `off` or why it is, `hit`, `stored`, or `none` with the reason.
        data: The entry that a compiled graph was loaded from and still reads; else None.
    """

    def __init__(
        self, subgraph: Subgraph, device: str, config: Mapping[str, Any], options: CompileOptions
    ) -> None:
        folder = options.cache_dir
        self.data: NDArray[np.uint8] | None = None
        self._device, self._config = device, dict(config)
        self._folder: Path | None = None
        self.state = options.cache_off if folder is None else _objection(subgraph, device)
        if folder is not None and not self.state:
            self._folder = folder / "openvino"
            self._key = cache.cache_key(
                graph=subgraph.digest,
                version=version(),
                device=[device, *identity(device)],
                config=self._config,
            )

    def load(self) -> Any:
        """The compiled graph of an intact entry, or None."""
        if self._folder is None:
            return None
        self.data = cache.load(self._folder, self._key)
        if self.data is None:
            return None
        try:
            compiled = core().import_model(lend(self.data), self._device, self._config)
        except Exception:  # intact, but not for this OpenVINO: it is overwritten
            self.data = None
            return None
        self.state = "hit"
        return compiled

    def store(self, compiled: Any) -> None:
        """Stores a compiled graph for the next start."""
        if self._folder is None:
            return
        try:
            exported = compiled.export_model()
            blob = exported if isinstance(exported, bytes) else exported.getvalue()
        except Exception as error:  # its exceptions share no base
            self.state = f"none: {self._device} exported nothing ({gist(error)})"
            return
        problem = cache.store(self._folder, self._key, blob)
        self.state = f"none: {problem}" if problem else "stored"


def _objection(subgraph: Subgraph, device: str) -> str:
    """Why this graph is not cached, or nothing."""
    if "EXPORT_IMPORT" not in capabilities(device):
        return f"none: {device} cannot export a compiled model"
    if device == "CPU" and is_large(subgraph):
        return f"none: compiling this large a {subgraph.name} is faster than reading a cache"
    return ""
