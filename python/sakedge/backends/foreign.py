"""A third party's backend: it may fail in any way, and then it is a BackendError."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.arrays import check_inputs, described, input_shapes
from sakedge.backends.base import (
    CompileOptions,
    GraphBackend,
    OpsetPreference,
    Session,
    Support,
)
from sakedge.backends.runtimes import gist, refusals
from sakedge.errors import BackendError
from sakedge.format import Subgraph
from sakedge.format.onnx.opsets import OPSET, OPSETS


class ForeignBackend:
    """Passes everything on to the backend, and checks what comes back."""

    def __init__(self, name: str, backend: GraphBackend) -> None:
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

    def opset(self, device: str | None) -> int:
        """The opset that the backend prefers, if it has a say.

        Raises:
            BackendError: The backend failed, or there is no such opset.
        """
        if not isinstance(self._backend, OpsetPreference):
            return OPSET
        with refusals(f"the backend {self.name} failed to choose an opset"):
            opset = int(self._backend.opset(device))
        if opset not in OPSETS:
            raise BackendError(
                f"the backend {self.name} wants graphs in an opset that they are not written in",
                expected=f"{OPSETS[0]} to {OPSETS[-1]}",
                got=str(opset),
            )
        return opset

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> Session:
        """Compiles the graph.

        Raises:
            BackendError: The backend failed, or its sessions do not take the graph's inputs.
        """
        with refusals(f"the backend {self.name} failed to compile the {subgraph.name}"):
            session = self._backend.compile(subgraph, options)
            if not _takes(session, 1 + len(subgraph.inputs)):
                raise BackendError(
                    f"the backend {self.name} takes no graph with further inputs",
                    expected="a session whose run(images, *more) takes them",
                    got=f"run{inspect.signature(session.run)}",
                )
            return _ForeignSession(self.name, session, subgraph)


class _ForeignSession:
    def __init__(self, name: str, session: Session, subgraph: Subgraph) -> None:
        self.details = {str(key): str(value) for key, value in session.details.items()}
        self._name = name
        self._session = session
        self._inputs = input_shapes(subgraph)
        self._outputs = len(subgraph.outputs)

    def run(
        self, images: NDArray[np.float32], *more: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        inputs = check_inputs([images, *more], self._inputs)
        with refusals(f"the backend {self._name} failed"):
            outputs = list(self._session.run(*inputs))
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
                got=", ".join(described(each) for each in outputs[: self._outputs + 1]) or "none",
            )
        return outputs


def _takes(session: Session, inputs: int) -> bool:
    """Whether `run` can be called with so many arrays."""
    try:
        inspect.signature(session.run).bind(*[None] * inputs)
    except TypeError:
        return False
    except ValueError:  # compiled code need not tell its signature; its run tells
        return True
    return True
