"""The command line `sakedge`: one thin file per verb, each over a function that scripts can call.

Exit codes: 0 fine, 1 failure, 2 warning (done, with problems), 64 usage, 130 interrupted.
Standard output carries results; progress, remarks and errors go to standard error.
"""

from __future__ import annotations

import os
from contextlib import suppress


def main() -> None:
    """Entry point of the console script."""
    try:
        from sakedge.cli import interrupts

        interrupts.prepare()
        from sakedge.cli import streams

        streams.fill_descriptors()
        from sakedge.cli.app import build

        build()()
    except KeyboardInterrupt:  # before a verb runs, or while the last one's objects are freed
        with suppress(OSError):
            os.write(2, b"sakedge: interrupted\n")
        raise SystemExit(130) from None
