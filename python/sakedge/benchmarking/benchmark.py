"""Measures one student on this machine and makes the record."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sakedge.benchmarking.hardware.cpu_time import autogroup_niceness
from sakedge.benchmarking.hardware.device import load_average, read_device
from sakedge.benchmarking.hardware.energy import EnergyMeter
from sakedge.benchmarking.hardware.power_mode import read_power_mode
from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.hardware.tegrastats import Tegrastats
from sakedge.benchmarking.one_round import Request
from sakedge.benchmarking.plan import Plan
from sakedge.benchmarking.privacy import described, identity
from sakedge.benchmarking.record import Environment, Options, Record, Soak
from sakedge.benchmarking.results import results_of
from sakedge.benchmarking.rounds import fresh_round
from sakedge.benchmarking.soak import run_soak
from sakedge.benchmarking.software import read_software
from sakedge.format import StudentFile
from sakedge.images.examples import fitted
from sakedge.progress import Progress
from sakedge.runtime.model import silent

_IDLE = 1.0
"""Seconds for which the idle machine's power is measured, where there is a counter."""
_VARIABLES = (
    *("SAKEDGE_ISA", "OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_WAIT_POLICY"),
    *("KMP_BLOCKTIME", "KMP_AFFINITY", "MALLOC_ARENA_MAX"),
)


def benchmark(
    path: str | Path,
    images: Sequence[str | Path] = (),
    plan: Plan | None = None,
    *,
    soak_minutes: float | None = None,
    identify: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> Record:
    """Measures a student in fresh processes, one after the other.

    Args:
        path: The student.
        images: Files of images, stretched to the student's input size and taken in turn; without
            any, an example.
        plan: How to measure.
        soak_minutes: Also, before the rounds, run for so long and look at what heat and time do.
        identify: Whether the record names the host, the user and the student's folder.
        progress: Called with the progress made.
        **options: As for `sakedge.load`; plain values.

    Raises:
        OptionError: A number is out of range.
        SakedgeError: The student or an image cannot be used.
        BackendError: A process that measured died.
    """
    plan = (plan or Plan()).checked()
    path = Path(path)
    _try(path, images)
    gaps, begun = Gaps(), time.time()
    request = Request(str(path), [str(image) for image in images], plan, options)
    device, power_mode = read_device(gaps), read_power_mode(gaps)
    software = read_software(gaps)
    environment = Environment(
        load_average_before=load_average(gaps, "environment.load_average_before"),
        niceness=_niceness(gaps),
        autogroup_niceness=_autogroup(gaps),
        variables={name: os.environ[name][:256] for name in _VARIABLES if name in os.environ},
    )
    idle = _idle_watts(progress)
    soak: Soak | None = None
    answers = []
    with Tegrastats(gaps) as jetson:
        if soak_minutes is not None:
            soak, explanation = run_soak(request, soak_minutes, gaps, progress)
        for number in range(0 if soak is not None and soak.interrupted else plan.rounds):

            def tell(step: str, share: float, number: int = number) -> None:
                progress(f"round {number + 1}: {step}", (number + share) / plan.rounds)

            answers.append(fresh_round(request, tell))
            for field, reason in answers[-1].missing.items():
                gaps.note(field, reason)
    progress("done", 1.0)
    rounds = tuple(answer.found for answer in answers)
    if not rounds:
        gaps.note("results", "the soak was interrupted before the rounds")
    return Record(
        taken=datetime.fromtimestamp(begun, timezone.utc).isoformat(timespec="seconds"),
        identity=identity(path) if identify else None,
        device=device,
        power_mode=power_mode,
        environment=environment,
        software=software,
        student=described(answers[0].student if answers else explanation),
        options=Options(
            batch=plan.batch,
            streams=plan.streams,
            intervals_s=plan.intervals,
            rounds=plan.rounds,
            iterations=plan.iterations,
            duration_s=plan.duration,
            warmup=plan.warmup,
            images=max(1, len(images)),
            soak_minutes=soak_minutes,
        ),
        rounds=rounds,
        results=results_of(rounds, idle) if rounds else None,
        soak=soak,
        tegrastats=jetson.summary(),
        missing=_explained(gaps, soak_minutes, identify),
    )


def _try(path: Path, images: Sequence[str | Path]) -> None:
    """Finds a wrong file here, before any process is started."""
    with StudentFile.open(path) as file:
        size = file.manifest.input_size
    for image in images:
        fitted(image, size)


def _niceness(gaps: Gaps) -> int | None:
    try:
        return os.getpriority(os.PRIO_PROCESS, 0)
    except (AttributeError, OSError):
        gaps.note("environment.niceness", "the system has none")
        return None


def _autogroup(gaps: Gaps) -> int | None:
    found = autogroup_niceness()
    if found is None:
        gaps.note("environment.autogroup_niceness", "the kernel has no autogroups")
    return found


def _idle_watts(progress: Progress) -> float | None:
    with EnergyMeter(Gaps()) as meter:
        if meter.joules:
            progress("the idle machine's power", 0.0)
            time.sleep(_IDLE)
    return None if meter.total is None else round(meter.total.watts, 4)


def _explained(gaps: Gaps, soak_minutes: float | None, identify: bool) -> dict[str, str]:
    if soak_minutes is None:
        gaps.note("soak", "not asked for: --soak")
    if not identify:
        gaps.note("identity", "not asked for: --identify")
    return dict(sorted(gaps.items()))
