"""Every cause for which a student file is refused: its own error type, and a message that helps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.support.files import (
    edit_manifest,
    edit_model,
    initializer,
    read_all,
    set_field,
    sign_graph,
    without_rights,
)

from sakedge.errors import (
    DigestError,
    FileFormatError,
    ManifestError,
    NotAStudentError,
    NotOnnxError,
    StorageError,
    TensorError,
    TruncatedFileError,
    UnsafePathError,
)
from sakedge.format import StudentFile, write_student
from sakedge.format.digest import component_digest

BIAS = "heads.edge.last.bias"


def test_a_path_that_is_no_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="got a folder"):
        StudentFile.open(tmp_path)
    with pytest.raises(StorageError, match="No such file"):
        StudentFile.open(tmp_path / "missing.onnx")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="not a regular file"):
        StudentFile.open(tmp_path / "pipe")


def test_a_file_without_rights_is_a_storage_error(tiny_student: Path, tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(tiny_student.read_bytes())
    with without_rights(path), pytest.raises(StorageError, match=r"Permission denied.*permissions"):
        StudentFile.open(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not an ONNX file"),
        (b"PK\x03\x04" + bytes(1000), "not an ONNX file"),
        (b"just some text, as long as you like", "not an ONNX file"),
        (bytes(1000), "not an ONNX file"),
        (b"\xff" * 1000, "not an ONNX file"),
    ],
)
def test_what_is_no_onnx_is_called_that(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(content)
    with pytest.raises(NotOnnxError, match=reason):
        StudentFile.open(path)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.9, 0.99999])
def test_a_truncated_file_is_called_that(tiny_student: Path, tmp_path: Path, share: float) -> None:
    whole = tiny_student.read_bytes()
    path = tmp_path / "student.onnx"
    path.write_bytes(whole[: max(2, int(share * len(whole)))])
    with pytest.raises(TruncatedFileError, match="Copy or download it again"):
        StudentFile.open(path)


def test_a_foreign_onnx_file_is_no_student(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value])
    onnx.save(helper.make_model(graph), tmp_path / "foreign.onnx")
    with pytest.raises(NotAStudentError, match="sakedge convert"):
        StudentFile.open(tmp_path / "foreign.onnx")


def _no_opset(model: Any) -> None:
    del model.opset_import[:]


def _second_opset(model: Any) -> None:
    model.opset_import.add(domain="", version=22)


def _two_names_of_onnx(model: Any) -> None:
    model.opset_import.add(domain="ai.onnx", version=22)


def _foreign_opset(model: Any) -> None:
    model.opset_import.add(domain="com.example", version=1)


def _no_ir_version(model: Any) -> None:
    model.ClearField("ir_version")


@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        (_no_opset, NotOnnxError, "expected one operator set; got 0"),
        (_second_opset, NotOnnxError, "two operator sets of the domain ''"),
        (_two_names_of_onnx, NotOnnxError, "expected one operator set; got 2"),
        (_foreign_opset, ManifestError, "operators of 'com.example'"),
        (lambda m: setattr(m.opset_import[0], "version", 0), NotOnnxError, "operator set.*got 0"),
        (lambda m: setattr(m.opset_import[0], "version", -1), NotOnnxError, "plausible"),
        (_no_ir_version, NotOnnxError, "plausible version of ONNX's format.*got none"),
        (lambda m: setattr(m, "ir_version", 2**40), NotOnnxError, "plausible version"),
    ],
)
def test_versions_of_onnx_that_cannot_be_are_refused(
    tiny_student: Path,
    tmp_path: Path,
    spoil: Callable[[Any], None],
    error: type[FileFormatError],
    reason: str,
) -> None:
    path = edit_model(tiny_student, tmp_path / "student.onnx", spoil)
    with pytest.raises(error, match=reason):
        StudentFile.open(path)


def test_a_changed_weight_or_digest_is_found_when_its_component_is_read(
    tiny_student: Path, tmp_path: Path
) -> None:
    def flip(model: Any) -> None:
        tensor = initializer(model, BIAS)
        tensor.raw_data = bytes([tensor.raw_data[0] ^ 1]) + tensor.raw_data[1:]

    edits = [
        edit_model(tiny_student, tmp_path / "weight.onnx", flip),
        edit_manifest(
            tiny_student,
            tmp_path / "digest.onnx",
            set_field("digests", "heads.edge", value="0" * 64),
        ),
    ]
    for path in edits:
        with StudentFile.open(path) as file:
            file.component("heads.sal")  # intact components can still be read
            with pytest.raises(DigestError, match=r"heads\.edge .* changed or damaged"):
                file.component("heads.edge")


def test_nan_is_refused_even_with_a_right_digest(tiny_student: Path, tmp_path: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        head = dict(file.component("heads.edge"))
    head[BIAS] = np.full_like(head[BIAS], np.nan)

    def spoil(model: Any) -> None:
        initializer(model, BIAS).raw_data = head[BIAS].tobytes()

    path = edit_manifest(
        edit_model(tiny_student, tmp_path / "nan.onnx", spoil),
        tmp_path / "student.onnx",
        set_field("digests", "heads.edge", value=component_digest(head)),
    )
    with StudentFile.open(path) as file, pytest.raises(TensorError, match=f"{BIAS}.*NaN"):
        file.component("heads.edge")


def _reshape(tensor: Any) -> None:
    tensor.dims[:] = [1, *tensor.dims]


def _retype(tensor: Any) -> None:
    tensor.data_type = TensorProto.DOUBLE


def _shorten(tensor: Any) -> None:
    tensor.raw_data = tensor.raw_data[:-1]


def _as_floats(tensor: Any) -> None:
    # A valid ONNX tensor, but not stored as raw bytes.
    values = np.frombuffer(tensor.raw_data, dtype=np.float32)
    tensor.ClearField("raw_data")
    tensor.float_data[:] = values


def _huge(tensor: Any) -> None:
    tensor.dims[:] = [2**40, 2**20]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_reshape, r"expected float32 \[1\]; got float32 \[1, 1\]"),
        (_retype, "got ONNX type 11"),
        (_shorten, "expected 4 bytes; got 3"),
        (_as_floats, "expected 4 bytes; got 0"),
        (_huge, "contradicts the manifest"),
    ],
)
def test_a_wrong_tensor_names_expected_and_got(
    tiny_student: Path, tmp_path: Path, spoil: Callable[[Any], None], reason: str
) -> None:
    path = edit_model(
        tiny_student, tmp_path / "student.onnx", lambda model: spoil(initializer(model, BIAS))
    )
    with pytest.raises(TensorError, match=reason) as caught:
        StudentFile.open(path)
    assert BIAS in str(caught.value)


def test_a_missing_a_double_and_a_surplus_tensor_are_refused(
    tiny_student: Path, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    edit_model(tiny_student, path, lambda m: m.graph.initializer.remove(initializer(m, BIAS)))
    with pytest.raises(TensorError, match=f"lacks tensor {BIAS}"):
        StudentFile.open(path)
    edit_model(tiny_student, path, lambda m: m.graph.initializer.append(initializer(m, BIAS)))
    with pytest.raises(NotOnnxError, match="two tensors named"):
        StudentFile.open(path)
    surplus = helper.make_tensor("surplus", TensorProto.FLOAT, [1], [1.0])
    edit_model(tiny_student, path, lambda m: m.graph.initializer.append(surplus))
    with pytest.raises(ManifestError, match="'surplus'"):
        StudentFile.open(path)


def _rename_x2(model: Any) -> None:
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["y2" if name == "x2" else name for name in names]


def _circle(model: Any) -> None:
    next(n for n in model.graph.node if "x1" in n.input).input[0] = "x3"


def _foreign_operator(model: Any) -> None:
    model.graph.node[0].domain = "com.example"


def _subgraph(model: Any) -> None:
    graph = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", graph))


def _external_constant(model: Any) -> None:
    tensor = TensorProto(name="c", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


def _second_input(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1]))


def _renamed_output(model: Any) -> None:
    model.graph.output[0].name = "other"


def _integer_input(model: Any) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT8


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_rename_x2, "does not compute 'x2'"),
        (_circle, r"uses 'x3', which no node before it gives"),
        (lambda m: m.graph.node.append(m.graph.node[0]), "twice"),
        (lambda m: m.graph.node.reverse(), "no node before it gives"),
        (lambda m: m.graph.node[0].output.append("stem.cls_token"), "twice"),
        (_foreign_operator, "operator of 'com.example'"),
        (_subgraph, "a graph in it"),
        (_external_constant, "another file"),
        (_second_input, "input of .* contradicts the manifest"),
        (_renamed_output, "output of .* contradicts the manifest"),
        (_integer_input, "not float32"),
    ],
)
def test_a_graph_that_is_no_students_is_refused(
    tiny_student: Path, tmp_path: Path, spoil: Callable[[Any], None], reason: str
) -> None:
    def spoil_and_sign(model: Any) -> None:
        spoil(model)
        sign_graph(model)

    with pytest.raises(ManifestError, match=reason):
        read_all(edit_model(tiny_student, tmp_path / "student.onnx", spoil_and_sign))


def test_an_operator_changed_after_the_fact_is_found(tiny_student: Path, tmp_path: Path) -> None:
    def change_epsilon(model: Any) -> None:
        node = next(n for n in model.graph.node if n.op_type == "LayerNormalization")
        next(a for a in node.attribute if a.name == "epsilon").f = 1e-3

    path = edit_model(tiny_student, tmp_path / "student.onnx", change_epsilon)
    with pytest.raises(DigestError, match=r"graph of .* changed or damaged"):
        StudentFile.open(path)


def _relocate(key: str, value: str) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        entries = {entry.key: entry for entry in initializer(model, BIAS).external_data}
        entries[key].value = value

    return edit


@pytest.mark.parametrize(
    ("key", "value", "error", "reason"),
    [
        ("location", "../student.onnx.data", UnsafePathError, "leaves its folder"),
        ("location", "/etc/passwd", UnsafePathError, "leaves its folder"),
        ("location", "a/b", UnsafePathError, "leaves its folder"),
        ("location", "..", UnsafePathError, "leaves its folder"),
        ("location", "", UnsafePathError, "leaves its folder"),
        ("location", "other.data", TensorError, "in two files"),
        ("offset", "-64", TensorError, "no valid offset"),
        ("offset", "1e3", TensorError, "no valid offset"),
        ("offset", "9" * 40, TensorError, "no valid offset"),
        ("offset", str(2**60), TruncatedFileError, "is truncated"),
        ("length", "8", TensorError, "expected 4 bytes; got 8"),
    ],
)
def test_external_data_that_leads_elsewhere_is_refused(
    tiny_student: Path,
    tmp_path: Path,
    key: str,
    value: str,
    error: type[FileFormatError],
    reason: str,
) -> None:
    path = tmp_path / "student.onnx"
    with StudentFile.open(tiny_student) as file:
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(path, file.manifest, components, external=True)
    model = onnx.load(path, load_external_data=False)
    _relocate(key, value)(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(error, match=reason):
        read_all(path)


def test_external_data_that_is_missing_or_short_is_refused(
    tiny_student: Path, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    with StudentFile.open(tiny_student) as file:
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(path, file.manifest, components, external=True)
    (data,) = tmp_path.glob("student.*.data")
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(TruncatedFileError, match=r"student\.[0-9a-f]{16}\.data is truncated"):
        StudentFile.open(path)
    data.unlink()
    with pytest.raises(StorageError, match=r"student\.[0-9a-f]{16}\.data: No such file"):
        StudentFile.open(path)
