"""Walks protobuf's wire format in place, for files too large or too hostile to parse whole.

Only what an ONNX file needs: varints and length-delimited fields are returned, fixed-width ones
skipped, groups refused. Nothing is allocated from a size that the file states.
Source: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class WireError(Exception):
    """The bytes are not a protobuf message.

    Attributes:
        overrun: Whether a field claims to go on beyond the message's end.
    """

    def __init__(self, message: str, *, overrun: bool = False) -> None:
        super().__init__(message)
        self.overrun = overrun


class Span(NamedTuple):
    """Bytes start … end - 1 of the file."""

    start: int
    end: int


class Field(NamedTuple):
    """One field of a message: `value` of a varint, `span` of a length-delimited field."""

    number: int
    wire_type: int
    value: int
    span: Span


def fields(data: memoryview, message: Span, most: int = 256) -> Iterator[Field]:
    """Yields a message's fields in order.

    Args:
        data: The file.
        message: Where the message lies.
        most: The most fields that it may have; two bytes make one.

    Raises:
        WireError: The bytes are not a message, a field does not end inside it, or there are more.
    """
    at, end = message
    count = 0
    while at < end:
        count += 1
        if count > most:
            raise WireError(f"more than {most} fields in the message at byte {message.start}")
        tag, at = read_varint(data, at, end)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise WireError(f"field number 0 at byte {at}")
        value, start = 0, at
        if wire_type == VARINT:
            value, at = read_varint(data, at, end)
        elif wire_type == BYTES:
            length, start = read_varint(data, at, end)
            at = start + length
        elif wire_type == FIXED64:
            at += 8
        elif wire_type == FIXED32:
            at += 4
        else:
            raise WireError(f"wire type {wire_type} at byte {at}")
        if at > end:
            raise WireError(
                f"field {number} at byte {start} ends {at - end} too late", overrun=True
            )
        yield Field(number, wire_type, value, Span(start, at))


def read_varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """Reads an unsigned varint of at most 64 bits; returns it and the offset after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise WireError(f"a number at byte {at} is cut off", overrun=True)
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, at
    raise WireError(f"a number before byte {at} has more than 64 bits")


def packed_varints(data: memoryview, span: Span, limit: int) -> list[int]:
    """Reads a packed repeated field of at most `limit` numbers."""
    numbers: list[int] = []
    at, end = span
    while at < end:
        if len(numbers) == limit:
            raise WireError(f"more than {limit} numbers at byte {at}")
        number, at = read_varint(data, at, end)
        numbers.append(number)
    return numbers


def text(data: memoryview, span: Span, limit: int) -> str:
    """Reads a UTF-8 string of at most `limit` bytes."""
    if span.end - span.start > limit:
        raise WireError(f"a string of more than {limit} bytes at byte {span.start}")
    try:
        return bytes(data[span.start : span.end]).decode()
    except UnicodeDecodeError as error:
        raise WireError(f"invalid UTF-8 at byte {span.start}") from error


def varint(value: int) -> bytes:
    """Encodes a non-negative integer."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_field(number: int, value: int) -> bytes:
    """Encodes a whole varint field."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_header(number: int, length: int) -> bytes:
    """Encodes what comes before the `length` bytes of a length-delimited field."""
    return varint(number << 3 | BYTES) + varint(length)


def bytes_field(number: int, content: bytes) -> bytes:
    """Encodes a whole length-delimited field."""
    return bytes_header(number, len(content)) + content
