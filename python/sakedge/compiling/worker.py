"""The fresh process: `python -m sakedge.compiling.worker` loads a student and runs it.

The request is JSON on standard input, the arguments of `sakedge.load`; what happened is the last
line of standard output.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Any

from sakedge.errors import SakedgeError

LATER = 5
"""Inferences after the first, whose median is told."""


def main() -> None:
    """Answers one request."""
    arguments = json.loads(sys.stdin.read())
    try:
        answer = run(arguments)
    except SakedgeError as error:
        answer = {
            "error": type(error).__name__,
            "problem": error.problem,
            "expected": error.expected,
            "got": error.got,
            "remedy": error.remedy,
        }
    print(f"\n{json.dumps(answer)}", flush=True)


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Loads a student and runs an example image."""
    import sakedge
    from sakedge.images.examples import example

    began = _clocks()
    with sakedge.load(**arguments) as student:
        load = _since(began)
        image = example(student.input_size)
        spent = []
        for _ in range(1 + LATER):
            began = _clocks()
            student(image)
            spent.append(_since(began))
        told = student.explain()
        later = [median(times) for times in zip(*spent[1:], strict=True)]
        return {
            "digest": told.digest,
            "model": told.model,
            "backend": told.backend,
            "precision": told.precision,
            "stem_precision": told.stem_precision,
            "session": dict(told.session),
            "load_ms": load[0],
            "first_ms": spent[0][0],
            "later_ms": later[0],
            "processor_ms": {"load": load[1], "first": spent[0][1], "later": later[1]},
        }


def _clocks() -> tuple[float, float]:
    """Seconds, and those of the processor in all threads, which no other job adds to."""
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    """Milliseconds since."""
    wall, processor = _clocks()
    return 1000 * (wall - began[0]), 1000 * (processor - began[1])


if __name__ == "__main__":
    main()
