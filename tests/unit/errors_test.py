"""Messages: of a length that a person reads, whatever they quote."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sakedge.errors import SakedgeError, shown


def test_no_part_of_a_message_is_longer_than_a_person_reads() -> None:
    error = SakedgeError("a" * 9999, expected="b" * 9999, got="c" * 9999, remedy="d" * 9999)
    assert len(str(error)) < 4100
    for letter in "abcd":
        assert f"{letter} … {letter}" in str(error)
    assert str(SakedgeError("a" * 1000)) == "a" * 1000 + "."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((2,) * 30, np.uint8), r"ndarray of uint8 \[2, 2, .*\]"),
        ([np.zeros((2,) * 30, np.uint8)], r"\[ndarray of uint8 .*\]"),
        (np.float32(1.5), r"np\.float32\(1\.5\)"),
        ("x" * 10_000, "'x{,100}\\.\\.\\.x{,100}'"),
    ],
)
def test_a_value_is_shown_at_once_and_in_short(value: object, text: str) -> None:
    assert re.fullmatch(text, shown(value))


def test_a_value_that_cannot_be_shown_is_shown_by_its_type() -> None:
    class Raising:
        def __repr__(self) -> str:
            raise RuntimeError("hostile")

    assert "Raising" in shown(Raising())
    assert "Raising" in shown([Raising()])
