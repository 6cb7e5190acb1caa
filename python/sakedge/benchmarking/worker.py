"""The fresh process: `python -m sakedge.benchmarking.worker` reads a request, prints a round.

The request is JSON on standard input. Each line of standard output that begins with the mark is
JSON: progress, and last the round, or the error that ended it.
"""

from __future__ import annotations

import json
import sys
import time

from pydantic import TypeAdapter

from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.one_round import Request, one_round
from sakedge.errors import SakedgeError
from sakedge.text import to_json

MARK = "sakedge-round "
_TELL_EVERY = 0.1
"""Seconds: a line costs some 20 µs, and none is printed while a call is timed."""


def main() -> None:
    """Answers one request."""
    request = TypeAdapter(Request).validate_json(sys.stdin.read())
    gaps, told = Gaps(), 0.0

    def tell(step: str, share: float) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY or share == 0.0:
            told = time.monotonic()
            _say({"step": step, "share": share})

    try:
        found, explanation = one_round(request, gaps, tell)
    except SakedgeError as error:
        parts = (type(error).__name__, error.problem, error.expected, error.got, error.remedy)
        _say({"error": parts})
        return
    plain = json.loads(json.dumps(explanation, default=str))
    _say({"round": found.model_dump(mode="json"), "student": plain, "missing": gaps})


def _say(message: object) -> None:
    print(f"\n{MARK}{to_json(message)}", flush=True)


if __name__ == "__main__":
    main()
