"""One round: loads a student in this process and times its calls."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sakedge.api import load
from sakedge.benchmarking.calls import Call, median_stages, run_pauses, run_streams
from sakedge.benchmarking.hardware.energy import EnergyMeter
from sakedge.benchmarking.hardware.state import read_state
from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.plan import Plan, pause_text
from sakedge.benchmarking.record import Energy, Memory, Round
from sakedge.images.examples import example, fitted
from sakedge.peers.memory import MemoryWatch
from sakedge.progress import Progress
from sakedge.runtime import machine
from sakedge.runtime.model import silent
from sakedge.student import Student


@dataclass(frozen=True)
class Request:
    """What a process is asked to do.

    Attributes:
        student: The file.
        images: Files of images; none is an example.
        plan: How to measure.
        options: As for `sakedge.load`.
    """

    student: str
    images: Sequence[str]
    plan: Plan
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """A student that is ready to be measured.

    Attributes:
        call: Computes a batch.
        first_ms: Milliseconds of the very first call.
        memory: Of the process, until and with the warm-up.
        explanation: `student.explain()`.
    """

    call: Call
    first_ms: float
    memory: Memory
    explanation: Mapping[str, Any]


@contextmanager
def loaded(request: Request, progress: Progress) -> Iterator[Loaded]:
    """Loads the student, times its first call and warms it up.

    Raises:
        SakedgeError: The student or an image cannot be used.
    """
    with MemoryWatch() as watch:
        progress("loading", 0.0)
        student = load(request.student, **request.options)
    with student:
        held = machine.resident()
        call = _call(student, request)
        with MemoryWatch() as warm:
            progress("first inference", 0.0)
            start = time.perf_counter()
            call(0)
            first = 1000 * (time.perf_counter() - start)
            progress("warming up", 0.0)
            for number in range(request.plan.warmup):
                call(number)
        own = [m for m in (watch.memory.anonymous, warm.memory.anonymous) if m is not None]
        memory = Memory(loaded=held, peak=machine.peak_resident(), own=max(own, default=None))
        yield Loaded(call, round(first, 4), memory, student.explain().to_dict())


def one_round(
    request: Request, gaps: Gaps, progress: Progress = silent
) -> tuple[Round, Mapping[str, Any]]:
    """Measures everything that the plan names.

    Args:
        request: What to do.
        gaps: Gets the reason of each reading that is missing.
        progress: Called with the progress made.

    Returns:
        What was measured, and `student.explain()`.

    Raises:
        SakedgeError: The student or an image cannot be used.
    """
    plan = request.plan
    steps = len(plan.streams) + len(plan.intervals)
    with loaded(request, progress) as ready:
        before = read_state(gaps)
        runs, done, stages, energy = [], 0, [], None
        for streams in plan.streams:

            def tell(share: float, streams: int = streams, done: int = done) -> None:
                callers = "one caller" if streams == 1 else f"{streams} callers"
                progress(callers, (done + share) / steps)

            with EnergyMeter(gaps) as meter:
                run, laps = run_streams(
                    ready.call, streams, plan.batch, plan.iterations, plan.duration, tell
                )
            if streams == 1:
                stages, energy = laps, _energy(meter, run.images, gaps)
            runs.append(run)
            done += 1
        pauses = []
        for pause in plan.intervals:

            def told(share: float, pause: float = pause, done: int = done) -> None:
                progress(f"after {pause_text(pause)}", (done + share) / steps)

            pauses.append(run_pauses(ready.call, pause, plan.duration, told))
            done += 1
        peak = machine.peak_resident()
        after = read_state(gaps)
    for what, amount in (
        ("loaded", ready.memory.loaded),
        ("peak", peak),
        ("own", ready.memory.own),
    ):
        if amount is None:
            gaps.note(f"memory.{what}", "the system does not say")
    spent = ready.explanation["load_ms"]
    found = Round(
        read_model_ms=round(spent["read"], 4),
        compile_model_ms=round(spent["compile"], 4),
        decoder_ms=round(spent["decoder"], 4),
        first_inference_ms=ready.first_ms,
        stages_ms=median_stages(stages),
        memory=ready.memory.model_copy(update={"peak": peak}),
        before=before,
        after=after,
        streams=tuple(runs),
        pauses=tuple(pauses),
        energy=energy,
    )
    return found, ready.explanation


def _call(student: Student, request: Request) -> Call:
    """A call with the images in turn, stretched to the input, so that no fitting is timed."""
    size, batch = student.input_size, request.plan.batch
    pictures = [fitted(Path(image), size) for image in request.images] or [example(size)]
    batches = [
        [pictures[(start + i) % len(pictures)] for i in range(batch)]
        for start in range(len(pictures))
    ]

    def call(number: int) -> Mapping[str, float]:
        return student(batches[number % len(batches)])[0].speed

    return call


def _energy(meter: EnergyMeter, images: int, gaps: Gaps) -> Energy | None:
    joules = {name: round(each, 6) for name, each in meter.joules.items()}
    if not joules:
        return None
    total = meter.total
    if total is None:
        gaps.note("energy.joules_per_image", "which of the counters add up is not known here")
    return Energy(
        seconds=round(meter.seconds, 4),
        images=images,
        joules=joules,
        covers=None if total is None else total.covers,
        watts=None if total is None else round(total.watts, 4),
        joules_per_image=None if total is None else round(total.joules / images, 6),
    )
