"""Writes a student's graph operator by operator, so that every name in it is ours."""

from __future__ import annotations

from onnx import helper

from sakedge.format.layout import component_shapes
from sakedge.format.onnx.builder import FLOAT, GraphBuilder
from sakedge.format.onnx.serialize import Graph, TensorSpec
from sakedge.format.student.graph.adapters import add_adapter
from sakedge.format.student.graph.heads import add_head
from sakedge.format.student.graph.routers import add_mixture, add_plain_sum
from sakedge.format.student.graph.stem import add_stem
from sakedge.format.student.int8 import stored_tensors
from sakedge.format.student.manifest import Manifest


def tensor_specs(manifest: Manifest) -> dict[str, list[TensorSpec]]:
    """Each component's weights as stored, in the order of the file: ascending by name."""
    return {
        component: [
            TensorSpec(name, dtype, shape)
            for name, (dtype, shape) in stored_tensors(component, shapes, manifest.storage).items()
        ]
        for component, shapes in component_shapes(manifest).items()
    }


def student_graph(manifest: Manifest) -> Graph:
    """The whole student: image to every task's logits, in the paper's own form."""
    arch, levels, adapters = manifest.architecture, manifest.levels, manifest.adapter_names
    tensors = [spec for specs in tensor_specs(manifest).values() for spec in specs]
    graph = GraphBuilder(tensors)
    add_stem(graph, arch)
    for name in adapters:
        add_adapter(graph, name, arch.blocks, levels)
    if not arch.is_routed:
        sums = [add_plain_sum(graph, level, adapters) for level in levels]
    for task in manifest.tasks:
        mixtures = (
            [add_mixture(graph, level, task.name, adapters) for level in levels]
            if arch.is_routed
            else sums
        )
        add_head(graph, task.name, mixtures, manifest.grid, arch.patch)
    size = manifest.input_size
    return Graph(
        name="sak-student",
        nodes=graph.nodes,
        inputs=[helper.make_tensor_value_info("image", FLOAT, ["batch", 3, *size])],
        outputs=[
            helper.make_tensor_value_info(task.name, FLOAT, ["batch", task.classes, *size])
            for task in manifest.tasks
        ],
        tensors=tensors,
    )
