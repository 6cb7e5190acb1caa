"""A student's graph for other runtimes: the heads commuted, only the chosen adapters and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from sakedge.format.onnx.builder import FLOAT, GraphBuilder
from sakedge.format.onnx.model import write_model
from sakedge.format.onnx.opsets import OPSET
from sakedge.format.onnx.serialize import Graph, ModelFile, TensorSpec, lay_out
from sakedge.format.schema import EXPORT_KEY
from sakedge.format.student.graph.adapters import add_adapter
from sakedge.format.student.graph.commuted import add_commuted_map, axis_tensors, head_tensors
from sakedge.format.student.graph.decoding import add_decoded, decoded_shape, decoded_type
from sakedge.format.student.graph.heads import add_logits, add_reduction
from sakedge.format.student.graph.routers import (
    add_mixture,
    add_plain_sum,
    add_routing,
    add_stem_expert,
)
from sakedge.format.student.graph.stem import add_stem
from sakedge.format.student.manifest import Manifest
from sakedge.format.student.parts import Preprocess
from sakedge.format.student.subgraph import Subgraph, subgraph
from sakedge.progress import Progress

Components = Mapping[str, Mapping[str, NDArray[Any]]]


@dataclass(frozen=True)
class GraphForm:
    """How a graph is written.

    Attributes:
        tasks: Its tasks, in the order of its outputs.
        adapters: Its adapters, in the order of the experts. Routers weigh the stem and these only
            (docs/model.md, section 4).
        outputs: `maps` at a quarter of the input's size, named `heads.<task>.last`; `logits` or
            `decoded` values at the input's size, named as the task.
        routing: Whether the weights `routing.<level>.<task>`, [batch, 1, 1 + T], are outputs too,
            level by level.
        mask: Whether a further input `active`, float32 [batch, 1 + T], says which experts take
            part (1) and which do not (0), the stem first.
        opset: Version of ONNX's operators, one of `OPSETS`.
        uint8: Whether the images are uint8 RGB, [batch, H, W, 3], and normalised by the graph.
        batch: Images in one run; None for any number.
        small_labels: Whether up to 256 labels are uint8; else they are int32.
    """

    tasks: tuple[str, ...]
    adapters: tuple[str, ...]
    outputs: Literal["maps", "logits", "decoded"] = "logits"
    routing: bool = False
    mask: bool = False
    opset: int = OPSET
    uint8: bool = False
    batch: int | None = None
    small_labels: bool = True

    def components(self, manifest: Manifest) -> tuple[str, ...]:
        """The student's components that it is made of."""
        routed = self.tasks if manifest.architecture.is_routed else ()
        return (
            "stem",
            *(f"adapters.{name}" for name in self.adapters),
            *(f"routers.{name}" for name in routed),
            *(f"heads.{name}" for name in self.tasks),
        )


def exported_graph(
    manifest: Manifest,
    components: Components,
    form: GraphForm,
    digests: Mapping[str, str] | None = None,
) -> Subgraph:
    """Writes a student's graph in a form.

    Args:
        manifest: The student's.
        components: The tensors of `form.components(manifest)`, by canonical name.
        form: How it is written.
        digests: Digests of components that are not the manifest's, as those of packs.
    """
    weights = _weights(manifest, components, form)
    specs = [TensorSpec(name, each.dtype.name, each.shape) for name, each in weights.items()]
    graph = GraphBuilder(specs, form.opset)
    _add_student(graph, manifest, form)
    used = {name for node in graph.nodes for name in node.input}
    size, batch = manifest.input_size, form.batch or "batch"
    image = (
        (onnx.TensorProto.UINT8, [batch, *size, 3]) if form.uint8 else (FLOAT, [batch, 3, *size])
    )
    further = {"active": (1 + len(form.adapters),)} if form.mask else {}
    outputs = _outputs(manifest, form)
    known = {**manifest.digests, **(digests or {})}
    return subgraph(
        "student",
        Graph(
            name="sak-student",
            nodes=graph.nodes,
            inputs=[
                helper.make_tensor_value_info("image", *image),
                *(
                    helper.make_tensor_value_info(name, FLOAT, [batch, *shape])
                    for name, shape in further.items()
                ),
            ],
            outputs=[
                helper.make_tensor_value_info(name, kind, [batch, *shape])
                for name, (kind, shape) in outputs.items()
            ],
            tensors=[spec for spec in specs if spec.name in used],
            opset=form.opset,
        ),
        weights,
        [known[component] for component in form.components(manifest)],
        size,
        further,
    )


def write_graph(
    path: Path, graph: Subgraph, description: str, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Writes an exported graph as a model of its own.

    Args:
        path: Where to write, see `write_model`.
        graph: The graph.
        description: What it is, for readers of its metadata.
        progress: Called after each tensor.

    Returns:
        The files written, the model first.

    Raises:
        StorageError: The file cannot be written.
    """

    def plan(location: str | None) -> ModelFile:
        return lay_out(graph.plain, metadata=(EXPORT_KEY, description), location=location)

    def weights() -> Iterator[NDArray[Any]]:
        for i, weight in enumerate(graph.weights.values()):
            yield weight
            if progress is not None:
                progress("writing", (i + 1) / len(graph.weights))

    return write_model(path, plan, weights())


def _weights(
    manifest: Manifest, components: Components, form: GraphForm
) -> dict[str, NDArray[Any]]:
    weights = dict(components["stem"])
    for name in form.adapters:
        weights |= components[f"adapters.{name}"]
    # The stem is expert 0, the adapters follow.
    present = [0, *(1 + manifest.adapter_names.index(name) for name in form.adapters)]
    for task in form.tasks if manifest.architecture.is_routed else ():
        for name, tensor in components[f"routers.{task}"].items():
            is_gate = ".gate." in name
            weights[name] = np.ascontiguousarray(tensor[..., present]) if is_gate else tensor
    for task in form.tasks:
        weights |= head_tensors(task, components[f"heads.{task}"])
    return weights | axis_tensors(manifest.grid, manifest.architecture.patch // 4)


def _add_student(graph: GraphBuilder, manifest: Manifest, form: GraphForm) -> None:
    arch, levels, adapters = manifest.architecture, manifest.levels, form.adapters
    image = _add_normalisation(graph, manifest.preprocess) if form.uint8 else "image"
    add_stem(graph, arch, image)
    for name in adapters:
        add_adapter(graph, name, arch.blocks, levels)
    active = None
    if form.mask:
        active = graph.add("Unsqueeze", ["active", graph.constant("const.one", [1])], "active.row")
    if not arch.is_routed:
        sums = [add_plain_sum(graph, level, adapters, active) for level in levels]
    infos = {task.name: task for task in manifest.tasks}
    for task in form.tasks:
        if arch.is_routed and adapters:
            mixtures = [add_mixture(graph, level, task, adapters, active) for level in levels]
        elif arch.is_routed:
            mixtures = _add_stem_alone(graph, levels, task, form.routing)
        else:
            mixtures = sums
        z = add_reduction(graph, task, mixtures)
        quarter = add_commuted_map(graph, task, z, manifest.grid, arch.width, arch.patch // 4)
        if form.outputs == "logits":
            add_logits(graph, quarter, task)
        elif form.outputs == "decoded":
            logits = add_logits(graph, quarter, f"heads.{task}.logits")
            add_decoded(graph, infos[task], logits, form.small_labels)


def _add_stem_alone(
    graph: GraphBuilder, levels: Sequence[int], task: str, routing: bool
) -> list[str]:
    """The mixtures without adapters: the stem's own tokens, for the weight of one expert is 1.

    Written out, that weight would be more than a waste: OpenVINO 2026.4 computes a product with the
    softmax of a single value wrongly.
    """
    if routing:
        for level in levels:
            add_routing(graph, level, task, ())
    return [add_stem_expert(graph, level) for level in levels]


def _add_normalisation(graph: GraphBuilder, preprocess: Preprocess) -> str:
    """(image / 255 - mean) / std, channels first."""
    values = graph.add("Cast", ["image"], "image.float", to=FLOAT)
    offset = graph.constant("const.mean", [255.0 * mean for mean in preprocess.mean])
    shifted = graph.add("Sub", [values, offset], "image.shifted")
    scale = graph.constant("const.scale", [1.0 / (255.0 * std) for std in preprocess.std])
    scaled = graph.add("Mul", [shifted, scale], "image.scaled")
    return graph.add("Transpose", [scaled], "image.planes", perm=[0, 3, 1, 2])


def _outputs(manifest: Manifest, form: GraphForm) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Type, and shape after the batch, of each output."""
    infos = {task.name: task for task in manifest.tasks}
    height, width = manifest.input_size
    found: dict[str, tuple[Any, tuple[int, ...]]] = {}
    for name in form.tasks:
        task = infos[name]
        if form.outputs == "maps":
            found[f"heads.{name}.last"] = (FLOAT, (task.classes, height // 4, width // 4))
        elif form.outputs == "logits":
            found[name] = (FLOAT, (task.classes, height, width))
        else:
            found[name] = (
                decoded_type(task, form.small_labels),
                decoded_shape(task, manifest.input_size),
            )
    if form.routing and manifest.architecture.is_routed:
        experts = 1 + len(form.adapters)
        found |= {
            f"routing.{level}.{task}": (FLOAT, (1, experts))
            for level in manifest.levels
            for task in form.tasks
        }
    return found
