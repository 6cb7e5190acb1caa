"""Fills a cache folder as a line would: by fresh processes that load and run the student."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sakedge import errors
from sakedge.compiling.machine_class import MachineClass
from sakedge.errors import BackendError, SakedgeError
from sakedge.progress import Progress
from sakedge.runtime.workers import worker

_WORKER = worker("sakedge.compiling.worker")
_NOTHING = "none: this backend keeps no compiled graphs"
_LONGEST = 300


@dataclass(frozen=True)
class Start:
    """One fresh process that loaded a student and ran it.

    Attributes:
        digest: Content digest of the student.
        model: What ran it.
        backend: The runtime.
        precision: Of the decoder.
        stem_precision: Of the stem.
        session: What the runtime reports of the compiled graph.
        load_ms: Milliseconds of `sakedge.load`, the import of the runtime included.
        first_ms: Of the first inference.
        later_ms: Of further ones, the median.
        processor_ms: The same three in time of the processor, summed over threads: `load`, `first`,
            `later`.
    """

    digest: str
    model: str
    backend: str
    precision: str
    stem_precision: str
    session: Mapping[str, str]
    load_ms: float
    first_ms: float
    later_ms: float
    processor_ms: Mapping[str, float]

    @property
    def cache(self) -> str:
        """What happened to the cache's entry: `stored`, `hit`, or `none` with the reason."""
        return self.session.get("cache", _NOTHING)


@dataclass(frozen=True)
class Compiled:
    """What was compiled ahead.

    Attributes:
        machine: The class of machines that it serves.
        filling: The process that filled the cache.
        check: A later one that used it; None where nothing is kept.
    """

    machine: MachineClass
    filling: Start
    check: Start | None

    @property
    def kept(self) -> bool:
        """Whether the cache has what the next start needs."""
        return self.check is not None

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        starts = {"filling": self.filling, "check": self.check}
        return {
            "class": {"name": self.machine.name, **self.machine.model_dump()},
            "kept": self.kept,
            **{key: each and {**asdict(each), "cache": each.cache} for key, each in starts.items()},
        }


def compile_ahead(
    arguments: Mapping[str, Any], machine: MachineClass, progress: Progress
) -> Compiled:
    """Has a fresh process fill the cache, and another one say that it starts from it.

    Args:
        arguments: Those of `sakedge.load`, with the threads of the class.
        machine: The class of this machine.
        progress: Called with the progress made.

    Raises:
        SakedgeError: Whatever `sakedge.load` raises.
        BackendError: The second process did not find what the first had stored.
    """
    progress("compiling, in a fresh process", 0.0)
    filling = start(arguments)
    if filling.cache not in ("stored", "hit"):
        return Compiled(machine, filling, None)
    progress("starting from the cache, in another", 0.5)
    check = start(arguments)
    if check.cache != "hit":
        raise BackendError(
            "what was compiled is not found again",
            expected="a start whose cache says hit",
            got=check.cache,
            remedy="See that nothing else writes to the cache folder meanwhile",
        )
    return Compiled(machine, filling, check)


def start(arguments: Mapping[str, Any]) -> Start:
    """Loads a student in a fresh process and runs it.

    Raises:
        SakedgeError: Whatever `sakedge.load` raises.
        BackendError: The process died.
    """
    ended = subprocess.run(
        _WORKER, input=json.dumps(dict(arguments), default=str), capture_output=True, text=True
    )
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        words = ended.stderr.strip().splitlines()
        raise BackendError(
            f"the process that loads the student ended with {ended.returncode}",
            got=(words[-1] if words else "")[:_LONGEST] or None,
            remedy="Load the student with these options, which shows the whole error",
        )
    answer = json.loads(lines[-1])
    if "error" in answer:
        kind = getattr(errors, answer.pop("error"), SakedgeError)
        problem = answer.pop("problem")
        raise kind(problem, **answer)
    return Start(**answer)
