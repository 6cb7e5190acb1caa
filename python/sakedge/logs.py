"""The log: everything goes to `logging.getLogger("sakedge")`; SAKEDGE_LOG sets its level."""

from __future__ import annotations

import logging
import os
from functools import cache

from sakedge.errors import OptionError
from sakedge.text import visible

LOG = logging.getLogger("sakedge")
LOG.addHandler(logging.NullHandler())

LEVELS = ("debug", "info", "warning", "error", "critical")


class _Lines(logging.Formatter):
    """Each record is one line, whatever names are in it; a traceback follows as it is."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return visible(super().formatMessage(record))


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
