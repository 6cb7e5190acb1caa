"""Fixtures of the tests of services."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Run
from typer.testing import CliRunner, Result

from sakedge.cli.app import build

MakeLine = Callable[..., Path]


class Heard:
    """A supervisor's socket."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def next(self, seconds: float = 60.0) -> str:
        """The next message; fails if none comes."""
        self._socket.settimeout(seconds)
        return self._socket.recv(4096).decode()

    def until(self, line: str, seconds: float = 60.0) -> list[str]:
        """All messages up to the first that has this line."""
        found = [self.next(seconds)]
        while line not in found[-1].splitlines():
            found.append(self.next(seconds))
        return found

    def forget(self) -> None:
        """Drops what was told so far."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    found = Heard(tmp_path)
    yield found
    found.close()


@pytest.fixture
def make_line(tmp_path: Path, tiny_student: Path) -> MakeLine:
    """Writes a line's file with the tiny student."""

    def make(name: str = "line", **fields: Any) -> Path:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"student": str(tiny_student), "source": 0, **fields}))
        return path

    return make


@pytest.fixture
def run() -> Run:
    """Runs the command line in this process; an exception that is no exit fails the test."""
    runner, app = CliRunner(), build()

    def invoke(*arguments: object) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke
