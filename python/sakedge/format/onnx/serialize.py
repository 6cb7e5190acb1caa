"""Lays out an ONNX model's bytes so that its weights can be streamed, one tensor at a time.

protobuf's own serializer wants every weight in memory twice. Here the small parts are serialized
at once and each weight's place is planned from its shape, so that the caller writes the weights
itself, in order, without ever holding more than one. Each weight begins at a multiple of 64 bytes
(the space before it is an ignored `doc_string` of blanks), so that a mapped file can be used as
it is. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from sakedge.format.digest import as_bytes
from sakedge.format.onnx import wire
from sakedge.format.onnx.opsets import OPSET, ir_version

ALIGNMENT = 64
ONNX_LIMIT = 2**31 - 1
"""Largest protobuf message that runtimes read."""
ONNX_TYPES = {
    "float32": onnx.TensorProto.FLOAT,
    "float16": onnx.TensorProto.FLOAT16,
    "int8": onnx.TensorProto.INT8,
    "uint8": onnx.TensorProto.UINT8,
}


@dataclass(frozen=True)
class TensorSpec:
    """A weight before it is written: canonical name, NumPy dtype name and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the weight itself."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Graph:
    """A graph without its weights' values: nodes, typed inputs and outputs, weights in order.

    Attributes:
        name: For viewers.
        nodes: In the order in which they are computed.
        inputs: Without the weights.
        outputs: In order.
        tensors: The weights, in the order of the file.
        opset: Version of the operators.
    """

    name: str
    nodes: Sequence[Any]
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    tensors: Sequence[TensorSpec]
    opset: int = OPSET

    def parts(self) -> Iterator[tuple[int, bytes]]:
        """Its nodes, inputs and outputs, serialized, each after its field number."""
        for number, messages in ((1, self.nodes), (11, self.inputs), (12, self.outputs)):
            for message in messages:
                yield number, message.SerializeToString()


@dataclass(frozen=True)
class WeightPlace:
    """One weight's place: the bytes to write before it, and its spec.

    Attributes:
        before: What precedes the weight in the model file.
        tensor: The weight.
        offset: Where its values go: in the model file, or in the external data file.
    """

    before: bytes
    tensor: TensorSpec
    offset: int


@dataclass(frozen=True)
class ModelFile:
    """A whole model file: its head, then each place's `before` and (unless external) weight.

    Attributes:
        head: All that comes before the weights.
        places: The weights in order.
        metadata_offset: Where the metadata value lies in `head`; 0 without one.
        size: Length of the model file.
    """

    head: bytes
    places: tuple[WeightPlace, ...]
    metadata_offset: int
    size: int


def lay_out(
    graph: Graph,
    *,
    metadata: tuple[str, str] | None = None,
    producer: str = "sakedge",
    location: str | None = None,
) -> ModelFile:
    """Lays out a model file.

    Args:
        graph: What it computes.
        metadata: Key and value of its one `metadata_props` entry.
        producer: Name of the tool, for viewers.
        location: Plain name of an external data file that holds the weights; None keeps them in
            the model.
    """
    small = wire.bytes_field(2, graph.name.encode())
    small += b"".join(wire.bytes_field(number, part) for number, part in graph.parts())
    # Offsets count from the graph's first byte, which the head's own padding aligns.
    places, at, external_at = [], len(small), 0
    for tensor in graph.tensors:
        if location is None:
            before = _inline(tensor, at)
            places.append(WeightPlace(before, tensor, at + len(before)))
            at += len(before) + tensor.nbytes
        else:
            before = _external(tensor, location, external_at)
            places.append(WeightPlace(before, tensor, external_at))
            external_at += -(-tensor.nbytes // ALIGNMENT) * ALIGNMENT
            at += len(before)
    head, metadata_offset = _head(graph.opset, at, metadata, producer)
    if location is None:
        places = [WeightPlace(p.before, p.tensor, p.offset + len(head)) for p in places]
    return ModelFile(head + small, tuple(places), metadata_offset, len(head) + at)


def model_pieces(
    file: ModelFile, tensors: Mapping[str, NDArray[Any]] | None
) -> Iterator[bytes | memoryview]:
    """Yields a model file piece by piece; without `tensors` if its weights are external."""
    yield file.head
    for place in file.places:
        yield place.before
        if tensors is not None:
            yield as_bytes(tensors[place.tensor.name])


def _head(
    opset: int, graph_size: int, metadata: tuple[str, str] | None, producer: str
) -> tuple[bytes, int]:
    """The model's fields before its graph, a multiple of 64 bytes, and the metadata's offset."""
    head = wire.varint_field(1, ir_version(opset))
    head += wire.bytes_field(8, wire.bytes_field(1, b"") + wire.varint_field(2, opset))
    head += wire.bytes_field(2, producer.encode())
    offset = 0
    if metadata is not None:
        key, value = (part.encode() for part in metadata)
        entry = wire.bytes_field(1, key) + wire.bytes_field(2, value)
        head += wire.bytes_field(14, entry)
        offset = len(head) - len(value)
    graph_header = wire.bytes_header(7, graph_size)
    blanks = -(len(head) + len(graph_header) + 2) % ALIGNMENT
    return head + wire.bytes_field(6, b" " * blanks) + graph_header, offset


def _describe(tensor: TensorSpec) -> bytes:
    dims = b"".join(wire.varint_field(1, side) for side in tensor.shape)
    kind = wire.varint_field(2, ONNX_TYPES[tensor.dtype])
    return dims + kind + wire.bytes_field(8, tensor.name.encode())


def _inline(tensor: TensorSpec, at: int) -> bytes:
    """Header of an initializer at offset `at` whose values follow, on a multiple of 64."""
    described, values = _describe(tensor), wire.bytes_header(9, tensor.nbytes)
    # One more blank moves the values by one byte, or by two where the message's own length grows by
    # a byte; so some number of blanks below 128 fits.
    for blanks in range(128):
        body = described + wire.bytes_field(12, b" " * blanks) + values
        header = wire.bytes_header(5, len(body) + tensor.nbytes) + body
        if (at + len(header)) % ALIGNMENT == 0:
            return header
    raise AssertionError("unreachable: see the comment above")


def _external(tensor: TensorSpec, location: str, offset: int) -> bytes:
    """A whole initializer whose values lie in another file."""
    entries = {"location": location, "offset": str(offset), "length": str(tensor.nbytes)}
    body = _describe(tensor) + wire.varint_field(14, onnx.TensorProto.EXTERNAL)
    for key, value in entries.items():
        entry = wire.bytes_field(1, key.encode()) + wire.bytes_field(2, value.encode())
        body += wire.bytes_field(13, entry)
    return wire.bytes_field(5, body)
