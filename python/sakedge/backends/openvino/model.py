"""A graph as an OpenVINO model whose weights stay where they are."""

from __future__ import annotations

from typing import Any

from sakedge.backends.arrays import input_shapes
from sakedge.backends.base import CompileOptions
from sakedge.backends.openvino.blobs import is_large
from sakedge.backends.openvino.core import core
from sakedge.backends.openvino.lending import constant
from sakedge.backends.openvino.library import openvino
from sakedge.backends.openvino.transposed import Transposed, transposed
from sakedge.format import Subgraph


def read_model(subgraph: Subgraph) -> Any:
    """The graph for one image, with constants that are views of the student's file.

    OpenVINO reads external data from files only. So the weights enter as inputs of the graph,
    and then a constant over the view takes each one's place.
    """
    model = core().read_model(subgraph.with_weights_as_inputs())
    for parameter in model.get_parameters():
        name = parameter.get_friendly_name()
        if name in subgraph.weights:
            weight = constant(subgraph.weights[name])
            weight.set_friendly_name(name)
            parameter.output(0).replace(weight.output(0))
            model.remove_parameter(parameter)
    model.reshape({name: [1, *shape] for name, shape in input_shapes(subgraph).items()})
    return model


def transpose(model: Any, subgraph: Subgraph, device: str, options: CompileOptions) -> Transposed:
    """Gives a model its matrices as [out, in] where that saves a copy (`transposed`)."""
    if (device, options.precision) != ("CPU", "bf16"):
        return Transposed("as in the file")
    if options.cache_dir is None or not is_large(subgraph):
        return Transposed("as in the file: without a cache, or too small to gain by it")
    constants = {
        node: node.input_value(1).get_node().get_friendly_name()
        for node in model.get_ops()
        if node.get_type_name() == "MatMul"
    }
    products = {node: name for node, name in constants.items() if name in subgraph.weights}
    folder = options.cache_dir / "openvino-transposed"
    found = transposed(subgraph, sorted(products.values()), folder)
    for product, name in products.items() if found.matrices else ():
        matrix = constant(found.matrices[name])
        better = openvino().opset13.matmul(product.input_value(0), matrix, False, True)
        better.set_friendly_name(product.get_friendly_name())
        product.output(0).replace(better.output(0))
    return found
