"""Stock OpenVINO on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.openvino.library import openvino
from sakedge.backends.runtimes import gist, refusals
from sakedge.backends.threads import require_threads
from sakedge.errors import BackendError

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class StockSession:
    """A whole model file in OpenVINO as anyone would run it.

    Args:
        path: The student, or an IR made from it.
        threads: Threads of the session, at least 1.
        precision: `fp32`, or `bf16` where the CPU has it.

    Raises:
        BackendError: OpenVINO is not installed, the CPU lacks the precision, or OpenVINO refused
            the file.
    """

    def __init__(self, path: Path, threads: int, precision: str = "fp32") -> None:
        try:
            runtime = openvino()
        except Exception as error:  # a broken installation fails in any way
            raise BackendError(
                f"OpenVINO cannot be imported: {gist(error)}",
                remedy="pip install 'sakedge[openvino]'",
            ) from error
        able = self.precisions()
        if precision not in able:
            raise BackendError(
                f"OpenVINO cannot run this file in {precision} here", expected=" or ".join(able)
            )
        config = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        require_threads(threads - 1)
        with refusals(f"OpenVINO refused {path}"):
            self._compiled = runtime.Core().compile_model(str(path), "CPU", config)

    @classmethod
    def precisions(cls) -> tuple[str, ...]:
        """The precisions at which OpenVINO runs a float file on this CPU; none if it cannot."""
        try:
            capabilities = openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        except Exception:  # a missing or broken installation fails in any way
            return ()
        return ("fp32", "bf16") if "BF16" in capabilities else ("fp32",)

    def run(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Logits by task, float32 [batch, classes, H, W], of images, float32 [batch, 3, H, W]."""
        with refusals("OpenVINO failed"):
            results = self._compiled({0: images})
            return {port.get_any_name(): results[port] for port in self._compiled.outputs}
