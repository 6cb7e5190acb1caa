"""What tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable

from typer.testing import Result

Run = Callable[..., Result]
"""Runs the command line in this process; what the fixture `run` is."""


def assert_refused(result: Result, code: int, *parts: str) -> None:
    """One line on standard error with these parts, nothing else, and this exit code."""
    assert result.exit_code == code, result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("sakedge")
    for part in parts:
        assert part in result.stderr
    assert result.stdout == ""
