"""From logits to what a caller wants, in stock operators (docs/model.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx

from sakedge.format.onnx.builder import FLOAT, GraphBuilder
from sakedge.tasks import TaskInfo

UINT8, INT32 = onnx.TensorProto.UINT8, onnx.TensorProto.INT32
_SHORTEST = 1e-12
"""What a normal's length is at least, so that none is divided by zero."""


def decoded_type(task: TaskInfo, small_labels: bool) -> Any:
    """ONNX type of a task's decoded output."""
    if task.kind != "labels":
        return FLOAT
    return UINT8 if small_labels and task.classes <= 256 else INT32


def decoded_shape(task: TaskInfo, size: tuple[int, int]) -> tuple[int, ...]:
    """Shape of a task's decoded output after the batch."""
    return (*size, 3) if task.kind == "normals" else size


def add_decoded(graph: GraphBuilder, task: TaskInfo, logits: str, small_labels: bool) -> str:
    """Adds a task's decoding; its output is named as the task.

    Args:
        graph: Where it goes.
        task: The task.
        logits: [B, classes, H, W].
        small_labels: Whether up to 256 labels are uint8; else they are int32.
    """
    values = DECODERS[task.kind](graph, logits, f"heads.{task.name}")
    if task.kind == "labels":
        return graph.add("Cast", [values], task.name, to=decoded_type(task, small_labels))
    if task.kind == "normals":
        return graph.add("Transpose", [values], task.name, perm=[0, 2, 3, 1])
    return graph.add("Squeeze", [values, graph.constant("const.one", [1])], task.name)


def _labels(graph: GraphBuilder, logits: str, head: str) -> str:
    return graph.add("ArgMax", [logits], f"{head}.labels", axis=1, keepdims=0)


def _probability(graph: GraphBuilder, logits: str, head: str) -> str:
    return graph.add("Sigmoid", [logits], f"{head}.probability")


def _two_class(graph: GraphBuilder, logits: str, head: str) -> str:
    """The softmax of two is the sigmoid of their difference."""
    no, yes = (_channel(graph, logits, i, f"{head}.logit.{i}") for i in range(2))
    return _probability(graph, graph.add("Sub", [yes, no], f"{head}.difference"), head)


def _normals(graph: GraphBuilder, logits: str, head: str) -> str:
    square = graph.add("Mul", [logits, logits], f"{head}.squares")
    channels = graph.constant("const.one", [1])
    total = graph.add("ReduceSum", [square, channels], f"{head}.squared_length")
    length = graph.add("Sqrt", [total], f"{head}.length")
    divisor = graph.add(
        "Max", [length, graph.constant("const.shortest", [_SHORTEST])], f"{head}.divisor"
    )
    return graph.add("Div", [logits, divisor], f"{head}.unit")


def _scalar(graph: GraphBuilder, logits: str, head: str) -> str:
    return graph.add("Relu", [logits], f"{head}.clamped")


def _channel(graph: GraphBuilder, logits: str, i: int, output: str) -> str:
    start, end = (graph.constant(f"const.at.{n}", [n]) for n in (i, i + 1))
    return graph.add("Slice", [logits, start, end, graph.constant("const.one", [1])], output)


DECODERS: dict[str, Callable[[GraphBuilder, str, str], str]] = {
    "labels": _labels,
    "probability": _probability,
    "two_class": _two_class,
    "normals": _normals,
    "scalar": _scalar,
}
"""Kind of task → what adds its decoding, with the channels still in place."""
