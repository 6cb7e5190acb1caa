"""Rounds in fresh processes, one after the other."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from sakedge import errors
from sakedge.benchmarking.one_round import Request
from sakedge.benchmarking.record import Round
from sakedge.benchmarking.worker import MARK
from sakedge.errors import BackendError, SakedgeError
from sakedge.progress import Progress
from sakedge.runtime.workers import worker

_WORKER = worker("sakedge.benchmarking.worker")
_LONGEST = 300
"""Characters of a reason."""


@dataclass(frozen=True)
class Answer:
    """What a process measured: the round, `student.explain()`, and what it could not read."""

    found: Round
    student: Mapping[str, Any]
    missing: Mapping[str, str]


def fresh_round(request: Request, progress: Progress) -> Answer:
    """Measures in a fresh process, which ends with this call, also when it is interrupted.

    Raises:
        SakedgeError: What ended it there.
        BackendError: The process died.
    """
    process = subprocess.Popen(
        _WORKER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with process:
        try:
            answer, last = _listen(process, request, progress)
        except BaseException:
            process.kill()
            raise
    if answer is None or "step" in answer or process.returncode:
        raise BackendError(
            "the process that measured died",
            got=f"exit code {process.returncode}: {last}"[:_LONGEST],
            remedy="Measure again; if it was killed, it had too little memory",
        )
    if "error" in answer:
        raise _rebuilt(*answer["error"])
    return Answer(Round.model_validate(answer["round"]), answer["student"], answer["missing"])


def _listen(
    process: subprocess.Popen[str], request: Request, progress: Progress
) -> tuple[dict[str, Any] | None, str]:
    """The last thing that a process says by the protocol, and its last complaint."""
    assert process.stdin is not None and process.stdout is not None
    complaints: deque[str] = deque(maxlen=1)
    assert process.stderr is not None
    listener = threading.Thread(target=complaints.extend, args=(process.stderr,), daemon=True)
    listener.start()
    with suppress(BrokenPipeError):  # it died; its exit code says so
        process.stdin.write(TypeAdapter(Request).dump_json(request).decode())
        process.stdin.close()
    answer = None
    for line in process.stdout:
        if line.startswith(MARK):
            answer = json.loads(line[len(MARK) :])
            if "step" in answer:
                progress(answer["step"], answer["share"])
    process.wait()
    listener.join()
    return answer, "".join(complaints).strip()


def _rebuilt(
    name: str, problem: str, expected: str | None, got: str | None, remedy: str | None
) -> SakedgeError:
    kind = getattr(errors, name, SakedgeError)
    if not (isinstance(kind, type) and issubclass(kind, SakedgeError)):
        kind = SakedgeError
    return kind(problem, expected=expected, got=got, remedy=remedy)
