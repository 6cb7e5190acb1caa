"""A part of a student's graph, cut out at chosen values, for a backend to compile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray
from onnx import helper

from sakedge.errors import ManifestError
from sakedge.format.onnx.builder import FLOAT
from sakedge.format.onnx.serialize import ONNX_TYPES, Graph, TensorSpec, lay_out, model_pieces
from sakedge.format.student.cuts import Cut
from sakedge.format.student.manifest import Manifest

WEIGHTS_LOCATION = "student.weights"
"""External file that `Subgraph.graph` names for its weights. There is no such file: a runtime
gets them from memory."""


@dataclass(frozen=True)
class Subgraph:
    """A part of a student as an ONNX model with its weights apart, so that no copy need be made.

    What that saves is in `docs/backends.md`.

    Attributes:
        name: For messages, e.g. `stem`.
        graph: ONNX model without weights: each is an initializer whose external data the runtime
            must be given from `weights` (ONNX Runtime: `add_external_initializers`).
        weights: The weights by name, read-only views of the file.
        digest: SHA-256 over graph and weights, for caches.
        input_size: Height and width of the input `image`, float32 [batch, 3, H, W].
        outputs: Names of the outputs, in their order; each is float32 [batch, …], except for labels
            that are decoded in the graph.
        plain: The graph itself.
        inputs: Further inputs besides `image`, in their order, each with its shape after the batch;
            float32 [batch, *shape].
    """

    name: str
    graph: bytes
    weights: Mapping[str, NDArray[Any]]
    digest: str
    input_size: tuple[int, int]
    outputs: tuple[str, ...]
    plain: Graph
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def with_weights_as_inputs(self) -> bytes:
        """ONNX model whose weights are further inputs, for runtimes that edit a read model.

        OpenVINO: put `Constant(Tensor(view, shape, type))`, which makes no copy, in the place of
        each such parameter.
        """
        weights = [
            helper.make_tensor_value_info(spec.name, ONNX_TYPES[spec.dtype], spec.shape)
            for spec in self.plain.tensors
        ]
        inputs = [*self.plain.inputs, *weights]
        graph = replace(self.plain, inputs=inputs, tensors=())
        return b"".join(model_pieces(lay_out(graph), {}))

    def to_bytes(self) -> bytes:
        """A self-contained ONNX model: one copy of the weights, for runtimes that need it."""
        return b"".join(model_pieces(lay_out(self.plain), self.weights))


def cut(
    where: Cut,
    nodes: Sequence[Any],
    manifest: Manifest,
    specs: Sequence[TensorSpec],
    weights: Mapping[str, NDArray[Any]],
) -> Subgraph:
    """Cuts a part out of a student's graph, with the nodes and weights that it needs.

    Args:
        where: What is wanted.
        nodes: The whole graph's nodes.
        manifest: The student's manifest.
        specs: Tensors of the cut's components, in the order of the file.
        weights: The same by name, verified.

    Raises:
        ManifestError: The graph does not give the cut's outputs from the image and its weights.
    """
    kept = _needed(where, nodes, {"image", *weights})
    used = {name for node in kept for name in node.input}
    graph = Graph(
        name=f"sak-{where.name}",
        nodes=kept,
        inputs=[helper.make_tensor_value_info("image", FLOAT, ["batch", 3, *manifest.input_size])],
        outputs=[
            helper.make_tensor_value_info(name, FLOAT, ["batch", *shape])
            for name, shape in where.outputs.items()
        ],
        tensors=[spec for spec in specs if spec.name in used],
    )
    digests = [manifest.digests[component] for component in where.components]
    return subgraph(where.name, graph, weights, digests, manifest.input_size)


def subgraph(
    name: str,
    graph: Graph,
    weights: Mapping[str, NDArray[Any]],
    digests: Sequence[str],
    input_size: tuple[int, int],
    inputs: Mapping[str, tuple[int, ...]] | None = None,
) -> Subgraph:
    """A graph and its weights as a backend takes them.

    Args:
        name: For messages.
        graph: The graph.
        weights: Its weights by name, and maybe others.
        digests: Digests of all that the weights were made of.
        input_size: Height and width of the input.
        inputs: See `Subgraph.inputs`.
    """
    model = b"".join(model_pieces(lay_out(graph, location=WEIGHTS_LOCATION), None))
    return Subgraph(
        name=name,
        graph=model,
        weights={spec.name: weights[spec.name] for spec in graph.tensors},
        digest=hashlib.sha256(model + "".join(digests).encode()).hexdigest(),
        input_size=input_size,
        outputs=tuple(output.name for output in graph.outputs),
        plain=graph,
        inputs=inputs or {},
    )


def _needed(where: Cut, nodes: Sequence[Any], given: set[str]) -> list[Any]:
    """The nodes that the cut's outputs depend on, in their own order."""
    producers = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    kept: set[int] = set()
    todo = list(where.outputs)
    while todo:
        name = todo.pop()
        if name in given or not name:
            continue
        if name not in producers:
            raise ManifestError(
                f"the graph does not compute {name!r}, which the {where.name} needs"
            )
        i = producers[name]
        if i not in kept:
            kept.add(i)
            todo += nodes[i].input
    return [nodes[i] for i in sorted(kept)]
