"""The stem of an int8 student in floats, for runtimes or CPUs that are no faster in integers."""

from __future__ import annotations

from onnx import helper

from sakedge.format.onnx.builder import FLOAT, GraphBuilder
from sakedge.format.onnx.serialize import Graph, TensorSpec
from sakedge.format.student.cuts import stem_cut
from sakedge.format.student.graph.stem import add_stem
from sakedge.format.student.int8 import Tensors, as_floats
from sakedge.format.student.manifest import Manifest
from sakedge.format.student.subgraph import Subgraph, subgraph


def float_stem(manifest: Manifest, tensors: Tensors) -> Subgraph:
    """Writes the graph of a stem with float32 weights, and inputs that are not rounded.

    Args:
        manifest: The student's.
        tensors: The stem's, as stored.
    """
    weights = as_floats(tensors)
    specs = [TensorSpec(name, each.dtype.name, each.shape) for name, each in weights.items()]
    graph = GraphBuilder(specs)
    add_stem(graph, manifest.architecture)
    where, size = stem_cut(manifest), manifest.input_size
    return subgraph(
        where.name,
        Graph(
            name=f"sak-{where.name}",
            nodes=graph.nodes,
            inputs=[helper.make_tensor_value_info("image", FLOAT, ["batch", 3, *size])],
            outputs=[
                helper.make_tensor_value_info(name, FLOAT, ["batch", *shape])
                for name, shape in where.outputs.items()
            ],
            tensors=specs,
        ),
        weights,
        [manifest.digests["stem"]],
        size,
    )
