"""Collects the nodes of a graph under names of our choosing, in the operators of one opset."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import onnx
from onnx import helper

from sakedge.format.onnx.opsets import OPSET
from sakedge.format.onnx.serialize import TensorSpec

FLOAT = onnx.TensorProto.FLOAT
INT64 = onnx.TensorProto.INT64


def output_axis(shape: tuple[int, ...]) -> int:
    """The axis of a weight's output channels: matrices are [in, out], kernels [out, in, h, w]."""
    return 0 if len(shape) == 4 else 1


class GraphBuilder:
    """Adds operators one by one; every value is named by its caller.

    Args:
        weights: Each stored weight. One that is not float32 becomes it where it is used: float16
            by a cast, int8 by the scales beside it (`student/int8.py`). A linear layer whose input
            has a scale too computes in integers, in runtimes that see it; all else in float32.
        opset: Version of ONNX's operators, one of `OPSETS`. What an older one lacks is written in
            the operators that it has, in the order in which runtimes know and fuse it.
    """

    def __init__(self, weights: Iterable[TensorSpec], opset: int = OPSET) -> None:
        self.nodes: list[Any] = []
        self._weights = {weight.name: weight for weight in weights}
        self._opset = opset
        self._known: set[str] = set()

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Adds an operator with one output and returns the output's name."""
        return self.add_many(op, inputs, [output], **attributes)[0]

    def add_once(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Adds an operator unless its output is there already; returns the output's name."""
        if output not in self._known:
            self._known.add(output)
            self.add(op, inputs, output, **attributes)
        return output

    def add_many(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> Sequence[str]:
        """Adds an operator with several outputs and returns their names."""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    def weight(self, name: str) -> str:
        """The float32 value of a stored weight."""
        weight = self._weights[name]
        if weight.dtype == "float32":
            return name
        if weight.dtype == "int8":
            scaled = [name, f"{name}.scale"]
            axis = output_axis(weight.shape)
            return self.add_once("DequantizeLinear", scaled, f"{name}.float", axis=axis)
        return self.add_once("Cast", [name], f"{name}.float", to=FLOAT)

    def constant(self, name: str, values: Sequence[int] | Sequence[float]) -> str:
        """A small constant, int64 or float32 by the type of its values. Added once per name."""
        if name not in self._known:
            self._known.add(name)
            kind = INT64 if all(isinstance(value, int) for value in values) else FLOAT
            tensor = helper.make_tensor(name, kind, [len(values)], values)
            self.add("Constant", [], name, value=tensor)
        return name

    def linear(self, x: str, weights: str, output: str) -> str:
        """`x @ weight + bias` over the last axis."""
        if f"{weights}.input.scale" in self._weights:
            x = self._quantised(x, f"{weights}.input")
        product = self.add("MatMul", [x, self.weight(f"{weights}.weight")], f"{output}.product")
        return self.add("Add", [product, self.weight(f"{weights}.bias")], output)

    def _quantised(self, x: str, name: str) -> str:
        """A value rounded to uint8, as the float32 value that it then stands for."""
        scaling = [f"{name}.scale", f"{name}.zero_point"]
        cells = self.add("QuantizeLinear", [x, *scaling], f"{name}.uint8")
        return self.add("DequantizeLinear", [cells, *scaling], f"{name}.float")

    def layer_norm(self, x: str, weights: str, output: str, eps: float) -> str:
        """LayerNorm over the last axis."""
        inputs = [x, self.weight(f"{weights}.weight"), self.weight(f"{weights}.bias")]
        return self.add("LayerNormalization", inputs, output, axis=-1, epsilon=eps)

    def gelu(self, x: str, output: str) -> str:
        """The exact GELU, x / 2 · (1 + erf(x / √2))."""
        if self._opset >= 20:
            return self.add("Gelu", [x], output, approximate="none")
        root = self.constant("const.root_2", [math.sqrt(2)])
        scaled = self.add("Div", [x, root], f"{output}.scaled")
        erf = self.add("Erf", [scaled], f"{output}.erf")
        raised = self.add("Add", [erf, self.constant("const.one.float", [1.0])], f"{output}.raised")
        twice = self.add("Mul", [x, raised], f"{output}.twice")
        return self.add("Mul", [twice, self.constant("const.half", [0.5])], output)

    def split(self, x: str, outputs: Sequence[str], size: int) -> Sequence[str]:
        """Equal parts of the last axis, each `size` wide."""
        if self._opset >= 18:
            return self.add_many("Split", [x], outputs, axis=-1, num_outputs=len(outputs))
        sizes = self.constant(f"const.split.{len(outputs)}x{size}", [size] * len(outputs))
        return self.add_many("Split", [x, sizes], outputs, axis=-1)

    def token_mean(self, x: str, output: str) -> str:
        """The mean over the tokens, [B, L, C] to [B, 1, C]."""
        if self._opset >= 18:
            return self.add("ReduceMean", [x, self.constant("const.one", [1])], output)
        return self.add("ReduceMean", [x], output, axes=[1])

    def attention(self, qkv: Sequence[str], output: str, heads: int, width: int) -> str:
        """Attention of several heads over queries, keys and values, each [B, N, C], to [B, N, C].

        Args:
            qkv: The three.
            output: Name of the result.
            heads: Number of heads.
            width: C.
        """
        if self._opset >= 23:
            return self.add("Attention", qkv, output, q_num_heads=heads, kv_num_heads=heads)
        shape = self.constant("const.by_head", [0, 0, heads, width // heads])
        # Keys are turned at once, so that the products need no further transposition.
        orders = {"q": [0, 2, 1, 3], "k": [0, 2, 3, 1], "v": [0, 2, 1, 3]}
        q, k, v = (
            self.add(
                "Transpose",
                [self.add("Reshape", [x, shape], f"{output}.{name}.split")],
                f"{output}.{name}",
                perm=order,
            )
            for x, (name, order) in zip(qkv, orders.items(), strict=True)
        )
        scale = self.constant("const.attention_scale", [(width // heads) ** -0.5])
        scores = self.add("MatMul", [q, k], f"{output}.scores")
        scaled = self.add("Mul", [scores, scale], f"{output}.scaled")
        weights = self.add("Softmax", [scaled], f"{output}.weights", axis=-1)
        mixed = self.add("MatMul", [weights, v], f"{output}.by_head")
        turned = self.add("Transpose", [mixed], f"{output}.joined", perm=[0, 2, 1, 3])
        return self.add("Reshape", [turned, self.constant("const.join", [0, 0, width])], output)

    def patch_tokens(self, x: str, output: str) -> str:
        """All tokens but the class token: [B, 1 + L, C] to [B, L, C]."""
        one = self.constant("const.one", [1])
        end = self.constant("const.end", [2**31 - 1])
        return self.add_once("Slice", [x, one, end, one], output)
