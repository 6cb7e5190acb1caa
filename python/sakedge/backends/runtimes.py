"""What runtimes report: their version, and why they failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sakedge.errors import BackendError, SakedgeError

DOCTOR_SAYS = "`sakedge doctor` says what runs here, on which device and at which precision"
"""What to do when nothing can run."""

_ANOTHER = "Choose another backend; what config says of this one went to the runtime as it is"
_LONGEST = 300
_POSITIONS = ("Exception from ", "Check '")
_SIGNATURE = re.compile(r"/\S+\.(?:cc|cpp|h):\d+ .*?\) (?:const )?(?:\[with .*?\] )?(?=\[?[A-Z])")
"""A C++ function where ONNX Runtime threw, with its file and line."""


def is_older(version: str, oldest: tuple[int, int]) -> bool:
    """Whether a version such as `2026.4.1` comes before `oldest`, e.g. (2026, 3)."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return tuple(numbers) < oldest


@contextmanager
def refusals(problem: str) -> Iterator[None]:
    """Makes a BackendError of whatever a runtime raises: its exceptions share no base.

    Args:
        problem: What went wrong if it does.

    Raises:
        BackendError: With the gist of the runtime's message. Our own errors pass as they are.
    """
    try:
        yield
    except SakedgeError:
        raise
    except Exception as error:
        raise BackendError(problem, got=gist(error), remedy=_ANOTHER) from error


def gist(error: BaseException) -> str:
    """A runtime's multi-line message in one line, without its source positions."""
    lines = (line.strip() for line in str(error).splitlines())
    telling = [line for line in lines if line and not line.startswith(_POSITIONS)]
    text = _SIGNATURE.sub("", " ".join(telling)) or type(error).__name__
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…").rstrip(".")
