"""Runs attempts one after the other and says after each how it went, a line of JSON each."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import traceback
from pathlib import Path

from tools.fuzz.targets import prepare

from sakedge.errors import SakedgeError


def seeded(target: str, number: int) -> random.Random:
    """The random numbers of an attempt; the same on every machine."""
    return random.Random(f"{target} {number}")


def main(target: str, start: int, report: int) -> None:
    """Attempts number `start` and all after it; reports to the file descriptor `report`."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, os.fdopen(report, "w") as out:
        attempt = prepare(target, Path(folder))
        number = start
        while True:
            print(json.dumps({"begin": number}), file=out, flush=True)
            outcome = _outcome(lambda number=number: attempt(seeded(target, number)))
            print(json.dumps({"end": number, **outcome}), file=out, flush=True)
            number += 1


def _outcome(attempt: object) -> dict[str, str]:
    assert callable(attempt)
    try:
        attempt()
    except SakedgeError as error:
        return {"refused": type(error).__name__}
    except BaseException as error:
        lines = traceback.format_exception(error)
        return {"failed": "".join(lines)[-1500:]}
    return {}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
