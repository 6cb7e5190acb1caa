"""Finds what is in an ONNX file and where, without reading a weight.

Field numbers are those of onnx.proto. Counts and lengths are bounded before they are used: a
student's graph is small, only its weights are large.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sakedge.errors import NotOnnxError, TruncatedFileError
from sakedge.format.onnx import wire
from sakedge.format.onnx.serialize import ONNX_TYPES
from sakedge.format.onnx.wire import BYTES, VARINT, Span, WireError

MAX_FIELDS = 1 << 18
"""Of the model and of its graph, those that are skipped included."""
MAX_NODES = 1 << 16
MAX_TENSORS = 1 << 16
MAX_GRAPH_BYTES = 1 << 22
"""Of nodes, inputs and outputs together. A ViT-B with five tasks has a tenth of a megabyte; what
is parsed of them takes up to a hundred times the memory."""
MAX_VALUE_BYTES = 1 << 12
"""Of one input or output: a name, a type and four sides."""
MAX_METADATA = 1 << 10
MAX_NAME = 1 << 10
MAX_DIMS = 8
MAX_DOMAINS = 16

_IR_VERSION = b"\x08"  # the first byte of every ONNX file that a serializer wrote
_EXTERNAL = 1
_DTYPES = {number: name for name, number in ONNX_TYPES.items()}


@dataclass
class StoredTensor:
    """One initializer as the file states it.

    Attributes:
        name: Its name.
        dtype: NumPy dtype name, or `ONNX type <n>` for one that a student never has.
        shape: Its dimensions.
        values: Where its bytes lie, if in the file.
        external: Key and value pairs of its external data, if outside.
    """

    name: str = ""
    dtype: str = ""
    shape: tuple[int, ...] = ()
    values: Span | None = None
    external: dict[str, str] = field(default_factory=dict)


@dataclass
class ModelScan:
    """What is in the file: spans of its small parts, its metadata, and its tensors by name.

    Attributes:
        ir_version: Version of the ONNX format; None if the file states none.
        opsets: Version of each operator set that the graph imports, by domain.
        metadata: Values of the model's metadata, by key.
        nodes: The graph's operators.
        inputs: Its typed inputs.
        outputs: Its typed outputs.
        tensors: Its initializers, by name.
    """

    ir_version: int | None = None
    opsets: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, Span] = field(default_factory=dict)
    nodes: list[Span] = field(default_factory=list)
    inputs: list[Span] = field(default_factory=list)
    outputs: list[Span] = field(default_factory=list)
    tensors: dict[str, StoredTensor] = field(default_factory=dict)

    def graph_parts(self) -> list[Span]:
        """Nodes, inputs and outputs, as `Graph.parts` has them."""
        return [*self.nodes, *self.inputs, *self.outputs]

    def values(self) -> list[Span]:
        """Where the tensors' values lie in this file, in ascending order."""
        return sorted(t.values for t in self.tensors.values() if t.values is not None)


def scan_model(data: memoryview, name: str) -> ModelScan:
    """Scans an ONNX file.

    Args:
        data: The whole file.
        name: What to call it in errors.

    Raises:
        NotOnnxError: The bytes are not an ONNX model, or one that cannot be a student.
        TruncatedFileError: The file ends before its structure says it should.
    """
    if not data:
        raise NotOnnxError(f"{name} is empty", expected="a student.onnx")
    scan = ModelScan()
    try:
        graph = _scan_model(data, scan, name)
    except WireError as error:
        if error.overrun and bytes(data[:1]) == _IR_VERSION:
            raise TruncatedFileError(
                f"{name} is truncated: it ends at byte {len(data)}, but {error}",
                remedy="Copy or download it again",
            ) from error
        raise _not_onnx(name, error) from error
    if graph is None:
        if bytes(data[:1]) == _IR_VERSION:
            raise TruncatedFileError(
                f"{name} is truncated: it ends at byte {len(data)}, before its graph",
                remedy="Copy or download it again",
            )
        raise NotOnnxError(f"{name} is not an ONNX file: it holds no graph")
    try:
        _scan_graph(data, graph, scan)
    except WireError as error:
        raise _not_onnx(name, error) from error
    return scan


def _scan_model(data: memoryview, scan: ModelScan, name: str) -> Span | None:
    """Scans the fields around the graph and returns where the graph lies."""
    graph: Span | None = None
    for number, wire_type, value, span in wire.fields(data, Span(0, len(data)), MAX_FIELDS):
        if number == 1 and wire_type == VARINT:
            scan.ir_version = value
        elif number == 7 and wire_type == BYTES:
            if graph is not None:
                raise NotOnnxError(f"{name} holds two graphs")
            graph = span
        elif number == 8 and wire_type == BYTES:
            domain, version = _opset(data, span)
            if domain in scan.opsets:
                raise NotOnnxError(f"{name} imports two operator sets of the domain {domain!r}")
            if len(scan.opsets) == MAX_DOMAINS:
                raise WireError(f"more than {MAX_DOMAINS} operator sets")
            scan.opsets[domain] = version
        elif number == 14 and wire_type == BYTES:
            key, where = _entry(data, span)
            if key in scan.metadata:
                raise NotOnnxError(f"{name} holds two metadata entries {key!r}")
            if len(scan.metadata) == MAX_METADATA:
                raise WireError(f"more than {MAX_METADATA} metadata entries")
            scan.metadata[key] = where
        elif number in (20, 25):
            raise NotOnnxError(
                f"{name} holds model-local functions or training data, which no student has"
            )
    return graph


def _not_onnx(name: str, error: WireError) -> NotOnnxError:
    return NotOnnxError(
        f"{name} is not an ONNX file, or is damaged: {error}",
        expected="a student.onnx",
        remedy="Check the path, or copy the file again",
    )


def _scan_graph(data: memoryview, graph: Span, scan: ModelScan) -> None:
    small, size = {1: scan.nodes, 11: scan.inputs, 12: scan.outputs}, 0
    for part in wire.fields(data, graph, MAX_FIELDS):
        if part.number in small and part.wire_type == BYTES:
            length = part.span.end - part.span.start
            if part.number != 1 and length > MAX_VALUE_BYTES:
                raise WireError(f"an input or output of more than {MAX_VALUE_BYTES} bytes")
            size += length
            if size > MAX_GRAPH_BYTES:
                raise WireError(f"nodes of more than {MAX_GRAPH_BYTES} bytes")
            if len(small[part.number]) == MAX_NODES:
                raise WireError(f"more than {MAX_NODES} nodes")
            small[part.number].append(part.span)
        elif part.number == 5 and part.wire_type == BYTES:
            tensor = _scan_tensor(data, part.span)
            if tensor.name in scan.tensors:
                raise WireError(f"two tensors named {tensor.name!r}")
            if len(scan.tensors) == MAX_TENSORS:
                raise WireError(f"more than {MAX_TENSORS} tensors")
            scan.tensors[tensor.name] = tensor
        elif part.number == 15:
            raise WireError("sparse tensors, which no student has")


def _scan_tensor(data: memoryview, message: Span) -> StoredTensor:
    tensor = StoredTensor()
    dims: list[int] = []
    is_external = False
    for number, wire_type, value, span in wire.fields(data, message):
        if number == 1 and wire_type == VARINT:
            dims.append(value)
        elif number == 1 and wire_type == BYTES:
            dims += wire.packed_varints(data, span, MAX_DIMS)
        elif number == 2 and wire_type == VARINT:
            tensor.dtype = _DTYPES.get(value, f"ONNX type {value}")
        elif number == 8 and wire_type == BYTES:
            tensor.name = wire.text(data, span, MAX_NAME)
        elif number == 9 and wire_type == BYTES:
            tensor.values = span
        elif number == 13 and wire_type == BYTES:
            key, where = _entry(data, span)
            tensor.external[key] = wire.text(data, where, MAX_NAME)
        elif number == 14 and wire_type == VARINT:
            is_external = value == _EXTERNAL
        if len(dims) > MAX_DIMS or len(tensor.external) > MAX_DIMS:
            raise WireError(f"a tensor of more than {MAX_DIMS} dimensions at byte {message.start}")
    tensor.shape = tuple(dims)
    if is_external:
        tensor.values = None
    else:
        tensor.external = {}
    return tensor


def _opset(data: memoryview, message: Span) -> tuple[str, int]:
    """Domain and version of an OperatorSetIdProto."""
    domain, version = "", 0
    for number, wire_type, value, span in wire.fields(data, message):
        if number == 1 and wire_type == BYTES:
            domain = wire.text(data, span, MAX_NAME)
        elif number == 2 and wire_type == VARINT:
            version = value
    return domain, version


def _entry(data: memoryview, message: Span) -> tuple[str, Span]:
    """Key and value of a StringStringEntryProto."""
    key, value = "", Span(message.start, message.start)
    for part in wire.fields(data, message):
        if part.number == 1 and part.wire_type == BYTES:
            key = wire.text(data, part.span, MAX_NAME)
        elif part.number == 2 and part.wire_type == BYTES:
            value = part.span
    return key, value
