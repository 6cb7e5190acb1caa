"""Finds a file's manifest and compares it with what the file really holds."""

from __future__ import annotations

import onnx
from google.protobuf.message import DecodeError

from sakedge.errors import ManifestError, NotAStudentError, NotOnnxError, TensorError
from sakedge.format.onnx.scan import ModelScan, StoredTensor
from sakedge.format.onnx.serialize import TensorSpec
from sakedge.format.onnx.wire import Span
from sakedge.format.parse import Fields, read_fields
from sakedge.format.schema import EXPORT_KEY, METADATA_KEY
from sakedge.format.student.graph import tensor_specs
from sakedge.format.student.manifest import Manifest
from sakedge.format.student.nodes import ONNX_DOMAINS

# Far above any real version, far below what a damaged file may state.
_PLAUSIBLE = range(1, 1000)
MAX_WEIGHTS = 1 << 35
"""Bytes of all weights: several times the largest vision transformers'."""


def manifest_fields(data: memoryview, scan: ModelScan, name: str) -> Fields:
    """Finds the manifest of a scanned file and reads its JSON.

    Raises:
        NotAStudentError: There is none.
        ManifestError: It is not JSON, or states no format version.
    """
    span = scan.metadata.get(METADATA_KEY)
    if span is None:
        was_exported = EXPORT_KEY in scan.metadata
        raise NotAStudentError(
            f"{name} is ONNX but not a sakedge student",
            expected=f"a manifest under metadata_props[{METADATA_KEY!r}]",
            got=f"metadata {sorted(scan.metadata)}" if scan.metadata else "no metadata",
            remedy="Load the student that it was exported from, and run this file in its runtime"
            if was_exported
            else "Make one with `sakedge convert`",
        )
    return read_fields(data[span.start : span.end], name)


def onnx_versions(scan: ModelScan, name: str) -> tuple[int, int]:
    """The versions of the operator set and of the ONNX format, checked.

    Raises:
        NotOnnxError: One is missing or implausible.
        ManifestError: Operators of another domain are imported.
    """
    foreign = [domain for domain in scan.opsets if domain not in ONNX_DOMAINS]
    if foreign:
        raise ManifestError(f"{name} imports operators of {foreign[0]!r}, which no student has")
    if len(scan.opsets) != 1:
        raise NotOnnxError(
            f"{name} states no one version of ONNX's operators",
            expected="one operator set",
            got=str(len(scan.opsets)),
        )
    (opset,) = scan.opsets.values()
    for what, version in (("operator set", opset), ("format", scan.ir_version)):
        if version not in _PLAUSIBLE:
            raise NotOnnxError(
                f"{name} states no plausible version of ONNX's {what}",
                expected=f"{_PLAUSIBLE.start} to {_PLAUSIBLE.stop - 1}",
                got="none" if version is None else str(version),
            )
    assert scan.ir_version is not None
    return opset, scan.ir_version


def check_tensors(scan: ModelScan, manifest: Manifest, name: str) -> dict[str, list[TensorSpec]]:
    """Checks that the file holds exactly the tensors that the manifest says, and returns them.

    Raises:
        TensorError: One is missing, or has another shape or dtype.
        ManifestError: There is an extra one.
    """
    specs = tensor_specs(manifest)
    expected = {spec.name: spec for parts in specs.values() for spec in parts}
    size = sum(spec.nbytes for spec in expected.values())
    if size > MAX_WEIGHTS:
        raise TensorError(
            f"{name} states more weights than any student has",
            expected=f"at most {MAX_WEIGHTS} bytes",
            got=str(size),
        )
    for spec in expected.values():
        stored = scan.tensors.get(spec.name)
        if stored is None:
            raise TensorError(f"{name} lacks tensor {spec.name}, which its manifest needs")
        _check_tensor(stored, spec, name)
    surplus = scan.tensors.keys() - expected.keys()
    if surplus:
        raise ManifestError(f"{name} holds tensor {min(surplus)!r}, which its manifest lacks")
    return specs


def _check_tensor(stored: StoredTensor, spec: TensorSpec, name: str) -> None:
    wanted = f"{spec.dtype} {list(spec.shape)}"
    got = f"{stored.dtype} {list(stored.shape)}"
    if got != wanted:
        raise TensorError(
            f"tensor {spec.name} of {name} contradicts the manifest", expected=wanted, got=got
        )
    if stored.external:
        return
    length = 0 if stored.values is None else stored.values.end - stored.values.start
    if length != spec.nbytes:
        raise TensorError(
            f"tensor {spec.name} of {name} has values of the wrong length",
            expected=f"{spec.nbytes} bytes",
            got=f"{length}",
        )


def check_interface(data: memoryview, scan: ModelScan, manifest: Manifest, name: str) -> None:
    """Checks that the graph's inputs and outputs are those that the manifest says.

    Raises:
        ManifestError: They are not.
    """
    size = list(manifest.input_size)
    wanted = {"image": [3, *size]}
    _compare(data, scan.inputs, wanted, f"the input of {name}")
    outputs = {task.name: [task.classes, *size] for task in manifest.tasks}
    _compare(data, scan.outputs, outputs, f"the output of {name}")


def _compare(data: memoryview, spans: list[Span], wanted: dict[str, list[int]], what: str) -> None:
    found: dict[str, list[int]] = {}
    for span in spans:
        try:
            value = onnx.ValueInfoProto.FromString(bytes(data[span.start : span.end]))
            tensor = value.type.tensor_type
            found[value.name] = [dim.dim_value for dim in tensor.shape.dim][1:]
            is_float = tensor.elem_type == onnx.TensorProto.FLOAT
        except (DecodeError, ValueError) as error:
            raise ManifestError(f"{what} cannot be read: {error}") from error
        if not is_float:
            raise ManifestError(f"{what} {value.name!r} is not float32")
    if list(found.items()) != list(wanted.items()):
        raise ManifestError(
            f"{what} contradicts the manifest",
            expected=_signature(wanted),
            got=_signature(found) or "none",
        )


def _signature(values: dict[str, list[int]]) -> str:
    return ", ".join(f"{name} {['batch', *shape]}" for name, shape in values.items())
