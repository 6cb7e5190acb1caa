"""What makes a backend: a few small types, their protocols, and one that is optional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sakedge.format import Subgraph


@dataclass(frozen=True)
class Support:
    """Whether a backend can run here, and why not if it cannot."""

    ok: bool
    reason: str


@dataclass(frozen=True)
class CompileOptions:
    """How to compile a graph.

    Attributes:
        device: One of the backend's, e.g. `CPU` or `GPU.1`, or None for its default.
        precision: `fp32`, `bf16` or `fp16`.
        threads: Threads of the session, at least 1 (see `sakedge.runtime.threads`).
        cache_dir: Where compiled graphs are kept; None means no cache.
        cache_off: Why there is no cache, for `Session.details`.
        config: The runtime's own options, passed on as they are.
    """

    device: str | None = None
    precision: str = "fp32"
    threads: int = 1
    cache_dir: Path | None = None
    cache_off: str = "off"
    config: Mapping[str, Any] = field(default_factory=dict)


class Session(Protocol):
    """A compiled graph. Safe to run from many threads at once."""

    @property
    def details(self) -> Mapping[str, str]:
        """For `student.explain()`: runtime, version, device, precision, cache hit or not, …."""
        ...

    def run(
        self, images: NDArray[np.float32], *more: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Runs the graph on normalised images.

        Args:
            images: Float32 [batch, 3, H, W].
            more: The values of `Subgraph.inputs` in their order, each float32 [batch, …]. A session
                of a graph without further inputs, such as a stem, need not take any.

        Returns:
            The outputs in the order of `Subgraph.outputs`, each float32 [batch, …], C-contiguous.

        Raises:
            BackendError: There are more or fewer inputs, one has another shape or type, or the
                runtime failed.
        """
        ...


class Backend(Protocol):
    """A runtime: one that compiles graphs, or one that runs a model of its own.

    Attributes:
        name: Its name in the registry.
        devices: The devices that it knows, each with the precisions that it may support there.
            `probe` checks this machine.
    """

    name: str
    devices: Mapping[str, tuple[str, ...]]

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether this backend can run on the device at the precision, and why not.

        At `int8` it can if it runs quantised graphs (QuantizeLinear, DequantizeLinear) in integers,
        and the rest of them in fp32, at which it then compiles them.
        """
        ...


@runtime_checkable
class GraphBackend(Backend, Protocol):
    """A runtime that can compile and run any part of a student's graph."""

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> Session:
        """Compiles a graph.

        Raises:
            BackendError: The runtime refused the graph or the options.
        """
        ...


class OwnModelBackend(Backend, Protocol):
    """A runtime that compiles no graphs, but runs the model of its own name."""

    def is_installed(self) -> bool:
        """Whether it came with this sakedge; whether it can run here is for `probe` to say."""
        ...


@runtime_checkable
class OpsetPreference(Protocol):
    """A backend that has a say in how a graph is written for it; others get the newest opset."""

    def opset(self, device: str | None) -> int:
        """The ONNX opset in which graphs are written for the device, one of `OPSETS`.

        Opset 23 has `Attention` as one operator; below, a graph spells it out.
        """
        ...
