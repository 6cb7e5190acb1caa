"""A third party's backend whose outputs are off, as if its kernels had a mistake."""

from __future__ import annotations

import numpy as np

from sakedge.backends.base import CompileOptions, Session, Support
from sakedge.backends.registry import get
from sakedge.format import Subgraph


class LyingBackend:
    """ONNX Runtime, with every output a little larger."""

    name = "liar"
    devices = {"CPU": ("fp32",)}  # noqa: RUF012

    def probe(self, device: str | None, precision: str) -> Support:
        return Support(device in (None, "CPU") and precision == "fp32", "runs in fp32 on the CPU")

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> LyingSession:
        return LyingSession(get("onnxruntime").compile(subgraph, options))


class LyingSession:
    """A graph whose outputs are off."""

    details = {"runtime": "liar"}  # noqa: RUF012

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self, images: np.ndarray, *more: np.ndarray) -> list[np.ndarray]:
        return [output * np.float32(1.5) for output in self._session.run(images, *more)]
