from __future__ import annotations

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakedge.format.onnx import wire
from sakedge.format.onnx.wire import Span, WireError


def _fields(data: bytes) -> list[wire.Field]:
    return list(wire.fields(memoryview(data), Span(0, len(data))))


@given(st.integers(0, 2**64 - 1))
def test_varints_survive_a_round_trip(value: int) -> None:
    data = wire.varint(value)
    assert wire.read_varint(memoryview(data), 0, len(data)) == (value, len(data))


@given(st.text(max_size=20), st.lists(st.integers(0, 2**40), max_size=5))
def test_fields_are_those_that_protobuf_wrote(name: str, dims: list[int]) -> None:
    data = onnx.TensorProto(name=name, dims=dims, data_type=1).SerializeToString()
    found = _fields(data)
    assert [field.value for field in found if field.number == 1] == dims
    (span,) = [field.span for field in found if field.number == 8]
    assert wire.text(memoryview(data), span, 1000) == name


def test_what_is_encoded_here_protobuf_reads() -> None:
    data = wire.varint_field(1, 300) + wire.varint_field(2, 1) + wire.bytes_field(8, b"weight")
    assert onnx.TensorProto.FromString(data) == onnx.TensorProto(
        dims=[300], data_type=1, name="weight"
    )


def test_fixed_width_fields_are_stepped_over() -> None:
    data = bytes([1 << 3 | wire.FIXED64, *range(8), 2 << 3 | wire.FIXED32, *range(4), 3 << 3, 7])
    assert [(field.number, field.value) for field in _fields(data)] == [(1, 0), (2, 0), (3, 7)]


@pytest.mark.parametrize(
    ("data", "overrun"),
    [
        (b"\x80", True),  # a varint that never ends
        (b"\x0a\x05ab", True),  # five bytes announced, two present
        (b"\x09\x00", True),  # eight bytes of a fixed64, one present
        (b"\x08" + b"\xff" * 10 + b"\x01", False),  # a varint of 77 bits
        (b"\x08" + b"\xff" * 9 + b"\x7f", False),  # a varint of 70 bits
        (b"\x00\x00", False),  # field number 0
        (b"\x0b", False),  # a group
        (b"\x0f", False),  # wire type 7
    ],
)
def test_what_is_no_message_is_refused(data: bytes, overrun: bool) -> None:
    with pytest.raises(WireError) as caught:
        _fields(data)
    assert caught.value.overrun is overrun


def test_a_field_never_reaches_beyond_its_message() -> None:
    data = memoryview(wire.bytes_field(1, b"abcd"))
    with pytest.raises(WireError):
        list(wire.fields(data, Span(0, 4)))


def test_long_lists_and_strings_are_refused_before_they_are_read() -> None:
    data = memoryview(bytes(100))
    with pytest.raises(WireError, match="more than 8 numbers"):
        wire.packed_varints(data, Span(0, 100), 8)
    with pytest.raises(WireError, match="more than 10 bytes"):
        wire.text(data, Span(0, 100), 10)
    with pytest.raises(WireError, match="UTF-8"):
        wire.text(memoryview(b"\xff\xfe"), Span(0, 2), 10)
