"""A third party's backend, as if from a package of its own: ONNX's reference evaluator."""

from __future__ import annotations

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from sakedge.backends.base import CompileOptions, Support
from sakedge.format import Subgraph


class ReferenceBackend:
    """Runs graphs in NumPy, operator by operator: slow, and entirely ONNX's own code."""

    name = "reference"
    devices = {"CPU": ("fp32",)}  # noqa: RUF012

    def probe(self, device: str | None, precision: str) -> Support:
        if device not in (None, "CPU") or precision != "fp32":
            return Support(False, "computes in fp32 on the CPU only")
        return Support(True, f"onnx {onnx.__version__}")

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> ReferenceSession:
        return ReferenceSession(subgraph)


class ReferenceSession:
    """A graph that is evaluated."""

    details = {"runtime": "onnx.reference", "version": onnx.__version__}  # noqa: RUF012

    def __init__(self, subgraph: Subgraph) -> None:
        self._evaluator = ReferenceEvaluator(onnx.load_from_string(subgraph.to_bytes()))
        self._inputs = ["image", *subgraph.inputs]
        self._outputs = list(subgraph.outputs)
        self._shapes = [
            [size.dim_value for size in value.type.tensor_type.shape.dim][1:]
            for value in self._evaluator.proto_.graph.output
        ]

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """One image at a time, so that its bits do not depend on its neighbours."""
        runs = [
            self._evaluator.run(
                self._outputs,
                {name: each[i : i + 1] for name, each in zip(self._inputs, inputs, strict=True)},
            )
            for i in range(len(inputs[0]))
        ]
        if not runs:
            return [np.empty((0, *shape), np.float32) for shape in self._shapes]
        return [np.concatenate(each).astype(np.float32) for each in zip(*runs, strict=True)]
