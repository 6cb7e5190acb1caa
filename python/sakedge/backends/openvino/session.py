"""A graph in OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.arrays import check_inputs, empty_outputs
from sakedge.backends.openvino.lending import lend
from sakedge.backends.runtimes import refusals


class OpenVinoSession:
    """A graph in OpenVINO, compiled for one image.

    With static shapes and aligned buffers OpenVINO writes its outputs where the caller wants
    them. A batch runs image by image: on a CPU it is as fast, one compiled model serves every
    batch size, and an image's result does not depend on its neighbours.
    """

    def __init__(
        self,
        compiled: Any,
        shapes: Mapping[str, tuple[int, ...]],
        details: Mapping[str, str],
        memory: object,
    ) -> None:
        self.details = details
        self._compiled = compiled
        self._inputs = shapes
        self._memory = memory  # where OpenVINO reads weights: the student's file, or the blob
        self._outputs = [tuple(output.shape)[1:] for output in compiled.outputs]

    def run(
        self, images: NDArray[np.float32], *more: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Runs the graph on normalised images, float32 [batch, 3, H, W]; see `Session.run`.

        Raises:
            BackendError: The inputs have other shapes or types, or the runtime failed.
        """
        inputs = check_inputs([images, *more], self._inputs)
        outputs = empty_outputs(len(images), self._outputs)
        # A request costs 0.1 ms. A kept one would need a lock and would keep its last outputs.
        with refusals("OpenVINO failed"):
            request = self._compiled.create_infer_request()
            for i in range(len(images)):
                for name, values in zip(self._inputs, inputs, strict=True):
                    request.set_tensor(name, lend(values[i : i + 1]))
                for j, output in enumerate(outputs):
                    request.set_output_tensor(j, lend(output[i : i + 1]))
                request.infer(share_outputs=True)  # the default returns a copy of each
        return outputs
