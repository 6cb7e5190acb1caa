"""The stem alone: a student's graph cut at x0 … xD, for a backend to compile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray
from onnx import helper

from sakedge.errors import ManifestError
from sakedge.format.onnx.builder import FLOAT
from sakedge.format.onnx.serialize import ONNX_TYPES, Graph, TensorSpec, model_pieces, plan_model
from sakedge.format.student.manifest import Manifest

WEIGHTS_LOCATION = "stem.weights"
"""External file that `StemModel.graph` names for its weights. There is no such file: a runtime
gets them from memory."""


@dataclass(frozen=True)
class StemModel:
    """The stem as an ONNX model with its weights apart, so that no copy of them need be made.

    What that saves is in `docs/backends.md`.

    Attributes:
        graph: ONNX model of the stem without weights: each is an initializer whose external data
            the runtime must be given from `weights` (ONNX Runtime: `add_external_initializers`).
        weights: The weights by name, read-only views of the file.
        digest: SHA-256 over graph and weights, for caches.
        input_size: Height and width of the input `image`, float32 [batch, 3, H, W].
        outputs: `x0` … `xD`, each float32 [batch, 1 + L, C].
    """

    graph: bytes
    weights: Mapping[str, NDArray[Any]]
    digest: str
    input_size: tuple[int, int]
    outputs: tuple[str, ...]
    _plain: Graph

    def with_weights_as_inputs(self) -> bytes:
        """ONNX model whose weights are further inputs, for runtimes that edit a read model.

        OpenVINO: put `Constant(Tensor(view, shape, type))`, which makes no copy, in the place of
        each such parameter.
        """
        weights = [
            helper.make_tensor_value_info(spec.name, ONNX_TYPES[spec.dtype], spec.shape)
            for spec in self._plain.tensors
        ]
        inputs = [*self._plain.inputs, *weights]
        graph = replace(self._plain, inputs=inputs, tensors=())
        return b"".join(model_pieces(plan_model(graph), {}))

    def to_bytes(self) -> bytes:
        """A self-contained ONNX model: one copy of the weights, for runtimes that need it."""
        return b"".join(model_pieces(plan_model(self._plain), self.weights))


def cut_stem(
    nodes: Sequence[Any],
    manifest: Manifest,
    specs: Sequence[TensorSpec],
    weights: Mapping[str, NDArray[Any]],
) -> StemModel:
    """Cuts the stem out of a student's graph.

    Args:
        nodes: The whole graph's nodes.
        manifest: The student's manifest.
        specs: The stem's tensors, in the order of the file.
        weights: The stem's tensors by name, verified.

    Raises:
        ManifestError: The graph does not give x0 … xD from the image and the stem's weights.
    """
    outputs = tuple(f"x{i}" for i in range(manifest.architecture.blocks + 1))
    kept = _needed(nodes, outputs, {"image", *weights})
    tokens = 1 + manifest.grid[0] * manifest.grid[1]
    shape = ["batch", tokens, manifest.architecture.width]
    graph = Graph(
        name="sak-stem",
        nodes=kept,
        inputs=[helper.make_tensor_value_info("image", FLOAT, ["batch", 3, *manifest.input_size])],
        outputs=[helper.make_tensor_value_info(name, FLOAT, shape) for name in outputs],
        tensors=specs,
    )
    plan = plan_model(graph, location=WEIGHTS_LOCATION)
    model = b"".join(model_pieces(plan, None))
    digest = hashlib.sha256(model + manifest.digests["stem"].encode()).hexdigest()
    return StemModel(model, weights, digest, manifest.input_size, outputs, graph)


def _needed(nodes: Sequence[Any], outputs: Sequence[str], given: set[str]) -> list[Any]:
    """The nodes that the outputs depend on, in their own order."""
    producers = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    kept: set[int] = set()
    todo = list(outputs)
    while todo:
        name = todo.pop()
        if name in given or not name:
            continue
        if name not in producers:
            raise ManifestError(f"the graph does not compute {name!r}, which the stem needs")
        i = producers[name]
        if i not in kept:
            kept.add(i)
            todo += nodes[i].input
    return [nodes[i] for i in sorted(kept)]
