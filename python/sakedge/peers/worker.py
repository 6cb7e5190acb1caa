"""The fresh process: `python -m sakedge.peers.worker` reads a request and prints a sample.

The request is JSON on standard input; the sample, or why there is none, is the last line of
standard output. What is timed is a call with normalised images, nothing around it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from sakedge.errors import SakedgeError
from sakedge.format import StudentFile
from sakedge.images.examples import example
from sakedge.images.fit import Normalizer
from sakedge.peers.memory import MemoryWatch
from sakedge.peers.types import LOGITS, Logits, Memory, Plan, Prepared, Ran, Request, Sample


def main() -> None:
    """Answers one request."""
    request = TypeAdapter(Request).validate_json(sys.stdin.read())
    try:
        answer: Any = TypeAdapter(Sample).dump_python(run(request), mode="json")
    except (SakedgeError, ImportError) as error:
        answer = {"refused": " ".join(str(error).split())}
    print(f"\n{json.dumps(answer, default=str)}", flush=True)


def run(request: Request) -> Sample:
    """Loads the contestant, warms it up, times it, compares it."""
    images = inputs(request.student, request.plan.batch)
    module, _, function = request.contestant.runner.partition(":")
    prepare: Callable[[Request], Prepared] = getattr(import_module(module), function)
    start = time.perf_counter()
    with MemoryWatch() as loading:
        prepared = prepare(request)
    load_ms = 1000 * (time.perf_counter() - start)
    ms: dict[str, float] = {}
    calls: dict[str, int] = {}
    stages: dict[str, dict[str, float]] = {}
    memory: dict[str, Memory] = {}
    last = Ran()
    for name, measure in prepared.measures.items():
        with MemoryWatch() as watch:
            last = _warmed_up(lambda measure=measure: measure(images), request.plan)  # type: ignore[misc]
        if request.save:
            continue
        memory[name] = _most(watch.memory, *memory.values(), loading.memory)
        last = Ran()  # a result that is kept would be memory that a user's loop does not hold
        spent, laps = _timed(lambda measure=measure: measure(images), request.plan)  # type: ignore[misc]
        ms[name], calls[name] = median(spent), len(spent)
        stages[name] = {stage: median(lap[stage] for lap in laps) for stage in laps[0]}
    if request.save and last.logits is not None:
        arrays: dict[str, Any] = {task: np.asarray(each) for task, each in last.logits.items()}
        draft = Path(f"{request.save}.draft.npz")  # an interrupt must not leave half a file
        np.savez(draft, **arrays)
        draft.replace(request.save)
    error = None
    if request.reference is not None:
        found = prepared.measures[LOGITS](images).logits
        assert found is not None
        with np.load(request.reference) as reference:
            error = largest_error(found, reference)
    return Sample(load_ms, ms, calls, stages, memory, error, prepared.details)


def inputs(student: str, batch: int) -> NDArray[np.float32]:
    """Normalised images, float32 [batch, 3, H, W]: an example, and the same shifted sideways."""
    with StudentFile.open(student) as file:
        manifest = file.manifest
    planes = Normalizer(manifest.preprocess)(example(manifest.input_size))
    shifted = [np.roll(planes, 16 * i, axis=-1) for i in range(batch)]
    return np.ascontiguousarray(np.stack(shifted), np.float32)


def largest_error(found: Logits, reference: Logits) -> float:
    """Largest difference of a logit over all tasks, relative to its task's range."""
    errors = []
    for task, expected in reference.items():
        difference = np.abs(np.asarray(found[task]) - expected).max()
        errors.append(float(difference / (np.ptp(expected) or 1.0)))
    return max(errors)


def _warmed_up(call: Callable[[], Ran], plan: Plan) -> Ran:
    """Calls until the caches, the clock and the allocator have settled; returns the last result."""
    begin = time.perf_counter()
    ran = call()
    count = 1
    while count < plan.warmup or time.perf_counter() - begin < plan.seconds / 4:
        ran = call()
        count += 1
    return ran


def _timed(call: Callable[[], Ran], plan: Plan) -> tuple[list[float], list[dict[str, float]]]:
    """Milliseconds of each call and of its stages."""
    spent: list[float] = []
    laps: list[dict[str, float]] = []
    begin = time.perf_counter()
    while len(spent) < plan.calls or time.perf_counter() - begin < plan.seconds:
        start = time.perf_counter()
        ran = call()
        spent.append(1000 * (time.perf_counter() - start))
        laps.append(dict(ran.stages_ms))
    return spent, laps


def _most(*seen: Memory) -> Memory:
    anonymous = [memory.anonymous for memory in seen if memory.anonymous is not None]
    return Memory(seen[0].peak, max(anonymous, default=None))


if __name__ == "__main__":
    main()
