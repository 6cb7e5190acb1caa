"""Messages: of a length that a person reads, whatever they quote."""

from __future__ import annotations

from sakedge.errors import SakedgeError


def test_no_part_of_a_message_is_longer_than_a_person_reads() -> None:
    error = SakedgeError("a" * 9999, expected="b" * 9999, got="c" * 9999, remedy="d" * 9999)
    assert len(str(error)) < 4100
    for letter in "abcd":
        assert f"{letter} … {letter}" in str(error)
    assert str(SakedgeError("a" * 1000)) == "a" * 1000 + "."
