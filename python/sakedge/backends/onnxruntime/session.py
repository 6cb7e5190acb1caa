"""A graph in ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.arrays import check_inputs, empty_outputs, input_shapes
from sakedge.backends.onnxruntime.library import onnxruntime
from sakedge.backends.runtimes import refusals
from sakedge.format import Subgraph


class OnnxRuntimeSession:
    """A graph in ONNX Runtime.

    One image runs at a time, with all the threads: more at once would use more threads than were
    asked for, and multiply the memory. A batch runs image by image for the same reason; it is as
    fast, and an image's result does not depend on its neighbours.
    """

    def __init__(self, session: Any, subgraph: Subgraph, details: Mapping[str, str]) -> None:
        self.details = details
        self._session = session
        self._subgraph = subgraph  # the session may read the weights where they lie
        self._outputs = [tuple(output.shape[1:]) for output in session.get_outputs()]
        self._inputs = input_shapes(subgraph)
        self._lock = threading.Lock()

    def run(
        self, images: NDArray[np.float32], *more: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Runs the graph on normalised images, float32 [batch, 3, H, W]; see `Session.run`.

        Raises:
            BackendError: The inputs have other shapes or types, or the runtime failed.
        """
        inputs = check_inputs([images, *more], self._inputs)
        outputs = empty_outputs(len(images), self._outputs)
        wrap = onnxruntime().OrtValue.ortvalue_from_numpy
        with self._lock, refusals("ONNX Runtime failed"):
            for i in range(len(images)):
                binding = self._session.io_binding()
                for name, values in zip(self._inputs, inputs, strict=True):
                    binding.bind_ortvalue_input(name, wrap(values[i : i + 1]))
                for name, output in zip(self._subgraph.outputs, outputs, strict=True):
                    binding.bind_ortvalue_output(name, wrap(output[i : i + 1]))
                binding.synchronize_inputs()
                self._session.run_with_iobinding(binding)
                binding.synchronize_outputs()
        return outputs
