"""The log: everything goes to `logging.getLogger("sakedge")`; SAKEDGE_LOG sets its level."""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from typing import TextIO

from sakedge.errors import OptionError
from sakedge.text import visible

LOG = logging.getLogger("sakedge")
LOG.addHandler(logging.NullHandler())

LEVELS = ("debug", "info", "warning", "error", "critical")


PRIORITIES = {"error": "<3>", "warning": "<4>", "info": "<6>"}
"""Level → how a line begins by which systemd's journal tells it (sd-daemon)."""


def priority(level: str, stream: TextIO) -> str:
    """What to begin a line with: where the stream is the journal its priority, else nothing.

    systemd says in JOURNAL_STREAM which file the journal's stream is; what was redirected since is
    another one.
    """
    named = os.environ.get("JOURNAL_STREAM", "")
    if not named:
        return ""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return ""
    return PRIORITIES[level] if named == f"{status.st_dev}:{status.st_ino}" else ""


class _Lines(logging.Formatter):
    """Each record is one line, whatever names are in it; a traceback follows as it is."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        level = "error" if record.levelno >= logging.ERROR else "warning"
        level = "info" if record.levelno < logging.WARNING else level
        return priority(level, sys.stderr) + visible(super().formatMessage(record))


@cache
def configure() -> None:
    """Reads SAKEDGE_LOG once; when it is set, the log goes to standard error at that level.

    Raises:
        OptionError: SAKEDGE_LOG is not a log level.
    """
    level = os.environ.get("SAKEDGE_LOG", "").strip().lower()
    if not level:
        return
    if level not in LEVELS:
        raise OptionError(
            "SAKEDGE_LOG is not a log level",
            expected=f"one of {', '.join(LEVELS)}",
            got=repr(level),
            remedy="Set it to one of them or unset it",
        )
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines("%(asctime)s %(name)s %(levelname)s: %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(level.upper())
