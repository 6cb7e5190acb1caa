"""Reads a graph's operators, and refuses those that could reach outside the file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from sakedge.errors import DigestError, ManifestError
from sakedge.format.digest import graph_digest
from sakedge.format.onnx import wire
from sakedge.format.onnx.scan import ModelScan
from sakedge.format.onnx.wire import Span, WireError
from sakedge.format.student.manifest import Manifest

ONNX_DOMAINS = ("", "ai.onnx")
_MAX_FIELDS = 1 << 12
"""Of a node and of each of its attributes."""
# Field numbers of onnx.proto.
_ATTRIBUTE, _ATTRIBUTE_NAME = 5, 1
_NO_STUDENTS = {
    **dict.fromkeys((6, 11), "a graph in it"),
    **dict.fromkeys((22, 23), "a sparse tensor"),
    **dict.fromkeys((14, 15), "a type in it"),
    10: "a list of tensors",
}


def read_nodes(data: memoryview, scan: ModelScan, manifest: Manifest, name: str) -> list[Any]:
    """Parses the graph's nodes.

    Raises:
        ManifestError: A node is malformed, not a standard operator, holds a graph, a tensor that
            lies elsewhere, or a number that is not finite; or it uses what no node before it gives.
        DigestError: The graph is not the one that the manifest was written for.
    """
    nodes = [_read_node(data, span, name) for span in scan.nodes]
    found = graph_digest(data[span.start : span.end] for span in scan.graph_parts())
    if found != manifest.graph_digest:
        raise DigestError(
            f"the graph of {name} was changed or damaged",
            expected=f"SHA-256 {manifest.graph_digest}",
            got=found,
            remedy="Copy or convert the student again",
        )
    _check_order(nodes, {"image", *scan.tensors}, name)
    return nodes


def _check_order(nodes: list[Any], known: set[str], name: str) -> None:
    """Checks that every value is given once, before it is used. A runtime may hang on a circle."""
    for node in nodes:
        unknown = [value for value in node.input if value and value not in known]
        if unknown:
            raise ManifestError(
                f"{name} holds a node that uses {unknown[0]!r}, which no node before it gives"
            )
        for value in filter(None, node.output):
            if value in known:
                raise ManifestError(f"{name} gives the value {value!r} twice")
            known.add(value)


def _read_node(data: memoryview, span: Span, name: str) -> Any:
    try:
        _check_shape(data, span, name)
        node = onnx.NodeProto.FromString(bytes(data[span.start : span.end]))
        # Reading the names decodes them, which fails for those of a damaged file.
        domain, _ = node.domain, [node.name, node.op_type, *node.input, *node.output]
        for attribute in node.attribute:
            _check_numbers(attribute, name)
    except (DecodeError, WireError, ValueError, TypeError) as error:
        raise ManifestError(f"{name} holds a node that cannot be read: {error}") from error
    if domain not in ONNX_DOMAINS:
        raise ManifestError(f"{name} holds an operator of {domain!r}, which no student has")
    return node


def _check_shape(data: memoryview, node: Span, name: str) -> None:
    """Checks what a node consists of, before protobuf makes objects a hundred times as large."""
    for part in wire.fields(data, node, _MAX_FIELDS):
        if part.number != _ATTRIBUTE:
            continue
        held = {field.number for field in wire.fields(data, part.span, _MAX_FIELDS)}
        if _ATTRIBUTE_NAME not in held:
            raise WireError("an attribute without a name")
        for number in held & _NO_STUDENTS.keys():
            raise ManifestError(
                f"{name} holds a node with {_NO_STUDENTS[number]}, which no student has"
            )


def _check_numbers(attribute: Any, name: str) -> None:
    is_finite = all(map(math.isfinite, (attribute.f, *attribute.floats)))
    if attribute.HasField("t"):
        tensor = attribute.t
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ManifestError(f"{name} holds a node whose constant lies in another file")
        is_finite = is_finite and bool(np.isfinite(numpy_helper.to_array(tensor)).all())
    if not is_finite:
        raise ManifestError(
            f"{name} holds a node whose attribute {attribute.name!r} is NaN or infinite"
        )
