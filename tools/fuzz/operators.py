"""Ways to spoil a graph's operators."""

from __future__ import annotations

import math
import random
from typing import Any

import onnx

_OPERATORS = (
    *("Relu", "Identity", "NonZero", "Add", "Mul", "Div", "MatMul", "Softmax", "Conv", "Resize"),
    *("Loop", "If", "ConstantOfShape", "RandomNormal", "Unique", "Compress", "Pad", "Reshape"),
    *("Tile", "Expand", "Log", "Exp", "Sqrt", "Cast", "StringNormalizer", "NoSuchOperator"),
)
_INTEGERS = (0, -1, 1, 7, 100, 2**20, 2**31, 2**62, -(2**63))
_FLOATS = (0.0, -1.0, 1e-45, 1e38, math.nan, math.inf)


def spoil_graph(rng: random.Random, model: Any) -> None:
    """Renames, removes, repeats or reorders operators, or changes an attribute or the interface."""
    graph = model.graph
    node = rng.choice(graph.node)
    match rng.randrange(10):
        case 0 if node.input:
            names = [name for each in graph.node for name in each.output]
            node.input[rng.randrange(len(node.input))] = rng.choice([*names, "", "image"])
        case 1:
            node.op_type = rng.choice(_OPERATORS)
        case 2:
            graph.node.remove(node)
        case 3:
            graph.node.add().CopyFrom(node)
        case 4 | 5:
            with_attributes = [each for each in graph.node if each.attribute]
            _spoil_attribute(rng, rng.choice(rng.choice(with_attributes).attribute))
        case 6 if node.output:
            node.output[0] = rng.choice(["x0", "image", "stem.cls_token", "edge", ""])
        case 7:
            nodes = list(graph.node)
            rng.shuffle(nodes)
            del graph.node[:]
            graph.node.extend(nodes)
        case 8:
            value = rng.choice([*graph.input, *graph.output])
            sides = value.type.tensor_type.shape.dim
            sides[rng.randrange(len(sides))].dim_value = rng.choice([0, -1, 7, 2**40])
        case _:
            node.domain = rng.choice(["ai.onnx", "ai.onnx.ml", "com.microsoft", "x"])


def _spoil_attribute(rng: random.Random, attribute: Any) -> None:
    if attribute.HasField("t"):
        tensor = attribute.t
        match rng.randrange(4):
            case 0:
                tensor.dims[:] = [rng.choice([0, -1, 1, 2**40])]
            case 1:
                tensor.ClearField("raw_data")
                tensor.float_data[:] = [rng.choice(_FLOATS) for _ in tensor.float_data]
                tensor.int64_data[:] = [rng.choice(_INTEGERS) for _ in tensor.int64_data]
            case 2:
                tensor.data_type = rng.choice([0, 1, 7, 8, 10, 14, 16, 22, 99])
            case _:
                tensor.data_location = onnx.TensorProto.EXTERNAL
                tensor.external_data.add(key="location", value="/etc/passwd")
    elif attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(_INTEGERS)
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = rng.choice(_FLOATS)
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = rng.choice([b"", b"\xff", b"cubic", b"x" * 5000])
    else:
        attribute.i = rng.choice(_INTEGERS)
