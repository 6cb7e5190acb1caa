"""The stock runtimes, each on the whole file as anyone would run it: what ours is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

STOCK: dict[str, str] = {
    "onnxruntime": "sakedge.peers.stock.onnxruntime:StockSession",
    "openvino": "sakedge.peers.stock.openvino:StockSession",
}
"""Name → `module:class`, so that a runtime that is not installed costs nothing."""


class Stock(Protocol):
    """A whole student file in a stock runtime."""

    @classmethod
    def precisions(cls) -> tuple[str, ...]:
        """The precisions at which the runtime runs a float file on this CPU."""
        ...

    def run(self, images: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Logits by task, float32 [batch, classes, H, W], of images, float32 [batch, 3, H, W]."""
        ...


def open_stock(name: str, path: Path, threads: int, precision: str = "fp32") -> Stock:
    """Loads a student file in a stock runtime.

    Args:
        name: One of `STOCK`.
        path: The student.
        threads: Threads of the session, at least 1.
        precision: Its precision.

    Raises:
        BackendError: The runtime is not installed, lacks the precision or refused the file.
    """
    session: Stock = _stock_class(name)(path, threads, precision)
    return session


def precisions(name: str) -> tuple[str, ...]:
    """The precisions at which a stock runtime runs a float file on this CPU."""
    found: tuple[str, ...] = _stock_class(name).precisions()
    return found


def _stock_class(name: str) -> Any:
    module, _, attribute = STOCK[name].partition(":")
    return getattr(import_module(module), attribute)
