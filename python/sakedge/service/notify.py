"""How a service tells its supervisor how it is: the protocol of sd_notify, and a file for probes.

A message is a datagram of `NAME=value` lines to the socket that NOTIFY_SOCKET names.
https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sakedge.text import visible

_PATIENCE = 1.0
"""Seconds that a full socket is waited for: a supervisor that hangs must not stop the line."""
_EVERY = 1.0
"""Seconds between two beats at most, however many results there are."""


class Supervisor:
    """Whoever started this process and wants to hear of it; nobody, if neither is given.

    Args:
        address: Of the socket: a path, or `@name`. None is none.
        beat_file: Touched with each beat, for probes that look at it. None is none.
    """

    def __init__(self, address: str | None = None, beat_file: Path | None = None) -> None:
        self._address = address.replace("@", "\0", 1) if address else None
        self._beat_file = beat_file
        self._told = -_EVERY
        self._news = ""

    @classmethod
    def of_process(
        cls, environment: Mapping[str, str] = os.environ, beat_file: Path | None = None
    ) -> Supervisor:
        """The one that this process was started by."""
        return cls(environment.get("NOTIFY_SOCKET"), beat_file)

    def ready(self, status: str) -> None:
        """Says that the line runs."""
        self._send("READY=1", _status(status))
        self.beat()

    def status(self, text: str) -> None:
        """Says in a line what it does, for `systemctl status`."""
        self._send(_status(text))

    def beat(self, status: str = "") -> None:
        """Says that the loop goes on; at most once a second, so it may be called for each result.

        Args:
            status: What it does, in a line; said with the next beat if this one is not.
        """
        self._news = status or self._news
        now = time.monotonic()
        if now - self._told < _EVERY:
            return
        self._told = now
        if self._beat_file is not None:
            with suppress(OSError):  # the probe will say so
                self._beat_file.touch()
        self._send("WATCHDOG=1", *([_status(self._news)] if self._news else []))
        self._news = ""

    def stopping(self) -> None:
        """Says that it was told to end."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if self._address is None or not hasattr(socket, "AF_UNIX"):
            return
        with (
            suppress(OSError),  # without its beats the supervisor will act
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to,
        ):
            to.settimeout(_PATIENCE)
            to.sendto("\n".join(lines).encode(), self._address)


def _status(text: str) -> str:
    return f"STATUS={visible(text)}"
