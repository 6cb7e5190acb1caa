"""The command line `sakedge`: one thin file per verb, each over a function that scripts can call.

Exit codes: 0 fine, 1 failure, 2 warning (done, with problems), 64 usage, 130 interrupted.
Standard output carries results; progress, remarks and errors go to standard error.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from sakedge.cli.streams import fill_descriptors

    try:
        fill_descriptors()
        from sakedge.cli.app import build

        build()()
    except KeyboardInterrupt:  # before a verb runs, or while the last one's objects are freed
        raise SystemExit(130) from None
