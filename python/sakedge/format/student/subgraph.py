"""A part of a student's graph, cut out at chosen values, for a backend to compile."""

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

WEIGHTS_LOCATION = "student.weights"
"""External file that `Subgraph.graph` names for its weights. There is no such file: a runtime
gets them from memory."""


@dataclass(frozen=True)
class Part:
    """Which part of a student's graph is wanted.

    Attributes:
        name: For messages, e.g. `stem`.
        components: Components of the file that hold its weights.
        outputs: The values to cut at, each with its shape after the batch.
    """

    name: str
    components: tuple[str, ...]
    outputs: Mapping[str, tuple[int, ...]]


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
        outputs: Names of the outputs, in their order; each is float32 [batch, …].
    """

    name: str
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


def stem_part(manifest: Manifest) -> Part:
    """The stem: outputs `x0` … `xD`, each [batch, 1 + L, C]."""
    tokens = 1 + manifest.grid[0] * manifest.grid[1]
    shape = (tokens, manifest.architecture.width)
    outputs = {f"x{i}": shape for i in range(manifest.architecture.blocks + 1)}
    return Part("stem", ("stem",), outputs)


def whole_part(manifest: Manifest, tasks: Sequence[str]) -> Part:
    """Everything that some tasks need, up to their maps at a quarter of the input's size.

    Outputs are the map `heads.<task>.last`, [batch, classes, H/4, W/4], for each task, then,
    unless the student has no routers, the weights `routing.<level>.<task>`, [batch, 1, 1 + T],
    level by level.
    """
    routed = tasks if manifest.architecture.router == "mor" else ()
    classes = {task.name: task.classes for task in manifest.tasks}
    height, width = manifest.input_size
    outputs: dict[str, tuple[int, ...]] = {
        f"heads.{task}.last": (classes[task], height // 4, width // 4) for task in tasks
    }
    experts = 1 + len(manifest.adapters)
    outputs |= {
        f"routing.{level}.{task}": (1, experts) for level in manifest.levels for task in routed
    }
    adapters = (f"adapters.{name}" for name in manifest.adapter_names)
    routers = (f"routers.{task}" for task in routed)
    heads = (f"heads.{task}" for task in tasks)
    return Part("student", ("stem", *adapters, *routers, *heads), outputs)


def cut(
    part: Part,
    nodes: Sequence[Any],
    manifest: Manifest,
    specs: Sequence[TensorSpec],
    weights: Mapping[str, NDArray[Any]],
) -> Subgraph:
    """Cuts a part out of a student's graph, with the nodes and weights that it needs.

    Args:
        part: What is wanted.
        nodes: The whole graph's nodes.
        manifest: The student's manifest.
        specs: Tensors of the part's components, in the order of the file.
        weights: The same by name, verified.

    Raises:
        ManifestError: The graph does not give the part's outputs from the image and its weights.
    """
    kept = _needed(part, nodes, {"image", *weights})
    used = {name for node in kept for name in node.input}
    graph = Graph(
        name=f"sak-{part.name}",
        nodes=kept,
        inputs=[helper.make_tensor_value_info("image", FLOAT, ["batch", 3, *manifest.input_size])],
        outputs=[
            helper.make_tensor_value_info(name, FLOAT, ["batch", *shape])
            for name, shape in part.outputs.items()
        ],
        tensors=[spec for spec in specs if spec.name in used],
    )
    model = b"".join(model_pieces(plan_model(graph, location=WEIGHTS_LOCATION), None))
    digests = (manifest.digests[component] for component in part.components)
    return Subgraph(
        name=part.name,
        graph=model,
        weights={spec.name: weights[spec.name] for spec in graph.tensors},
        digest=hashlib.sha256(model + "".join(digests).encode()).hexdigest(),
        input_size=manifest.input_size,
        outputs=tuple(part.outputs),
        _plain=graph,
    )


def _needed(part: Part, nodes: Sequence[Any], given: set[str]) -> list[Any]:
    """The nodes that the part's outputs depend on, in their own order."""
    producers = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    kept: set[int] = set()
    todo = list(part.outputs)
    while todo:
        name = todo.pop()
        if name in given or not name:
            continue
        if name not in producers:
            raise ManifestError(f"the graph does not compute {name!r}, which the {part.name} needs")
        i = producers[name]
        if i not in kept:
            kept.add(i)
            todo += nodes[i].input
    return [nodes[i] for i in sorted(kept)]
