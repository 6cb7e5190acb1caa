"""Fixtures of the tests of single pieces."""

from __future__ import annotations

import pytest
from tests.support.command_line import Run
from typer.testing import CliRunner, Result

from sakedge.cli.app import build


@pytest.fixture
def run() -> Run:
    """Runs the command line in this process; an exception that is no exit fails the test."""
    runner = CliRunner()
    app = build()

    def invoke(*arguments: object) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke
