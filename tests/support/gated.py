"""A small graph with further inputs beside the image."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from sakedge.format import Subgraph
from sakedge.format.onnx.serialize import Graph, TensorSpec, lay_out, model_pieces
from sakedge.format.student.subgraph import WEIGHTS_LOCATION

SIZE = (8, 12)
SCALE = np.array([[[2.0]], [[-1.0]], [[0.5]]], np.float32)


def gated() -> Subgraph:
    """`gated` = image · scale · gate + offset, [batch, 3, 8, 12]; gate [batch, 3, 1, 1], offset
    [batch, 12]."""
    nodes = [
        helper.make_node("Mul", ["image", "scale"], ["scaled"]),
        helper.make_node("Mul", ["scaled", "gate"], ["open"]),
        helper.make_node("Constant", [], ["shape"], value_ints=[-1, 1, 1, SIZE[1]]),
        helper.make_node("Reshape", ["offset", "shape"], ["row"]),
        helper.make_node("Add", ["open", "row"], ["gated"]),
    ]
    inputs = {"gate": (3, 1, 1), "offset": (SIZE[1],)}
    image = (3, *SIZE)
    graph = Graph(
        name="gated",
        nodes=nodes,
        inputs=[_value(name, shape) for name, shape in {"image": image, **inputs}.items()],
        outputs=[_value("gated", image)],
        tensors=[TensorSpec("scale", "float32", SCALE.shape)],
    )
    model = b"".join(model_pieces(lay_out(graph, location=WEIGHTS_LOCATION), None))
    return Subgraph(
        name="gated graph",
        graph=model,
        weights={"scale": SCALE},
        digest=hashlib.sha256(model).hexdigest(),
        input_size=SIZE,
        outputs=("gated",),
        plain=graph,
        inputs=inputs,
    )


def values(batch: int) -> list[NDArray[np.float32]]:
    """Images, gates and offsets, each image's its own."""
    rng = np.random.default_rng(0)
    shapes = ((3, *SIZE), (3, 1, 1), (SIZE[1],))
    return [rng.standard_normal((batch, *shape), dtype=np.float32) for shape in shapes]


def expected(
    images: NDArray[np.float32], gate: NDArray[np.float32], offset: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What the graph computes, in NumPy."""
    return images * SCALE * gate + offset[:, None, None]


def _value(name: str, shape: tuple[int, ...]) -> object:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
