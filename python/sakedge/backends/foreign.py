"""A third party's backend: it may fail in any way, and then it is a BackendError."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.base import Backend, CompileOptions, Session, Support
from sakedge.backends.runtimes import gist, refusals
from sakedge.errors import BackendError
from sakedge.format import Subgraph


class ForeignBackend:
    """Passes everything on to the backend, and checks what comes back."""

    def __init__(self, name: str, backend: Backend) -> None:
        self.name = name
        self.devices: Mapping[str, tuple[str, ...]] = {
            str(device): tuple(precisions) for device, precisions in backend.devices.items()
        }
        self._backend = backend

    def probe(self, device: str | None, precision: str) -> Support:
        """Says what the backend says; one that fails cannot run."""
        try:
            support = self._backend.probe(device, precision)
            return Support(bool(support.ok), str(support.reason))
        except Exception as error:
            return Support(False, f"its probe failed ({type(error).__name__}: {gist(error)})")

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> Session:
        """Compiles the graph.

        Raises:
            BackendError: The backend failed.
        """
        with refusals(f"the backend {self.name} failed to compile the {subgraph.name}"):
            session = self._backend.compile(subgraph, options)
            return _ForeignSession(self.name, session, len(subgraph.outputs))


class _ForeignSession:
    def __init__(self, name: str, session: Session, outputs: int) -> None:
        self.details = {str(key): str(value) for key, value in session.details.items()}
        self._name = name
        self._session = session
        self._outputs = outputs

    def run(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with refusals(f"the backend {self._name} failed"):
            outputs = list(self._session.run(images))
            fine = len(outputs) == self._outputs and all(
                isinstance(each, np.ndarray)
                and each.dtype == np.float32
                and each.flags.c_contiguous
                and each.shape[:1] == images.shape[:1]
                for each in outputs
            )
        if not fine:
            raise BackendError(
                f"the backend {self._name} returned something else than outputs",
                expected=f"{self._outputs} float32 arrays [{len(images)}, …], C-contiguous",
                got=", ".join(_described(each) for each in outputs[: self._outputs + 1]) or "none",
            )
        return outputs


def _described(output: object) -> str:
    if isinstance(output, np.ndarray):
        return f"{output.dtype} {list(output.shape)}"
    return type(output).__name__
