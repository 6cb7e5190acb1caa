"""Collects the nodes of a graph under names of our choosing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import helper

FLOAT = onnx.TensorProto.FLOAT
INT64 = onnx.TensorProto.INT64


class GraphBuilder:
    """Adds operators one by one; every value is named by its caller.

    Args:
        dtypes: NumPy dtype name of each stored weight. One that is not float32 is cast to it
            where it is used, so that all arithmetic is float32.
    """

    def __init__(self, dtypes: Mapping[str, str]) -> None:
        self.nodes: list[Any] = []
        self._dtypes = dtypes
        self._known: set[str] = set()

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Adds an operator with one output and returns the output's name."""
        return self.add_many(op, inputs, [output], **attributes)[0]

    def add_many(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> Sequence[str]:
        """Adds an operator with several outputs and returns their names."""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    def weight(self, name: str) -> str:
        """The float32 value of a stored weight."""
        if self._dtypes[name] == "float32":
            return name
        value = f"{name}.float"
        if value not in self._known:
            self._known.add(value)
            self.add("Cast", [name], value, to=FLOAT)
        return value

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
        product = self.add("MatMul", [x, self.weight(f"{weights}.weight")], f"{output}.product")
        return self.add("Add", [product, self.weight(f"{weights}.bias")], output)

    def layer_norm(self, x: str, weights: str, output: str, eps: float) -> str:
        """LayerNorm over the last axis."""
        inputs = [x, self.weight(f"{weights}.weight"), self.weight(f"{weights}.bias")]
        return self.add("LayerNormalization", inputs, output, axis=-1, epsilon=eps)

    def patch_tokens(self, x: str, output: str) -> str:
        """All tokens but the class token: [B, 1 + L, C] to [B, L, C]."""
        if output not in self._known:
            self._known.add(output)
            one = self.constant("const.one", [1])
            end = self.constant("const.end", [2**31 - 1])
            self.add("Slice", [x, one, end, one], output)
        return output
