"""Stock ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.onnxruntime.library import onnxruntime
from sakedge.backends.runtimes import refusals
from sakedge.backends.threads import require_threads
from sakedge.errors import BackendError

_ERRORS_ONLY = 3


class StockSession:
    """A whole student file in ONNX Runtime as anyone would run it.

    Args:
        path: The student.
        threads: Threads of the session, at least 1.
        precision: `fp32`.

    Raises:
        BackendError: Another precision, or ONNX Runtime cannot be imported or refused the file.
    """

    def __init__(self, path: Path, threads: int, precision: str = "fp32") -> None:
        if precision not in self.precisions():
            raise BackendError(
                "ONNX Runtime runs this file in fp32 only", expected="fp32", got=precision
            )
        require_threads(threads - 1)
        with refusals(f"ONNX Runtime refused {path}"):
            runtime = onnxruntime()
            options = runtime.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            options.log_severity_level = _ERRORS_ONLY
            self._session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )

    @classmethod
    def precisions(cls) -> tuple[str, ...]:
        """The precisions at which ONNX Runtime runs a float file on a CPU."""
        return ("fp32",)

    def run(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Logits by task, float32 [batch, classes, H, W], of images, float32 [batch, 3, H, W]."""
        with refusals("ONNX Runtime failed"):
            names = [output.name for output in self._session.get_outputs()]
            return dict(zip(names, self._session.run(None, {"image": images}), strict=True))
