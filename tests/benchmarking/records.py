"""Records whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sakedge.benchmarking.record import (
    Caller,
    Device,
    Environment,
    Memory,
    Options,
    PauseRun,
    PowerMode,
    Processors,
    Record,
    Round,
    Software,
    State,
    StreamsRun,
)
from sakedge.benchmarking.results import results_of

NOTHING = State(cpu_mhz=None, temperatures_c=None, throttle_events=None, load_average=0.1)
STUDENT: dict[str, Any] = {
    "path": "student.onnx",
    "digest": "a" * 64,
    "input_size": [64, 96],
    "tasks": ["edge"],
    "adapters": ["sam"],
    "model": "host",
    "backend": "onnxruntime",
    "backend_reason": "asked for",
    "device": None,
    "precision": "fp32",
    "stem_precision": "fp32",
    "threads": 2,
    "isa": "avx2",
}


def one_round(ms: Sequence[float], delayed: float = 0.0, **changes: Any) -> Round:
    """A round of these latencies, in which others can have cost a share."""
    seconds = sum(ms) / 1000
    run = StreamsRun(
        streams=1,
        seconds=seconds,
        images=len(ms),
        cpu_ms_per_image=float(np.mean(ms)),
        others_cpu=delayed,
        waiting_threads=delayed,
        delayed=delayed,
        callers=(Caller(samples_ms=tuple(ms)),),
    )
    paused = tuple(1.2 * each for each in ms)
    pause = PauseRun(pause_s=0.1, samples_ms=paused, stages_ms={"stem": 1})
    fields = {
        "read_model_ms": 10.0,
        "compile_model_ms": 100.0,
        "decoder_ms": 5.0,
        "first_inference_ms": 3 * float(np.median(ms)),
        "stages_ms": {"stem": 0.7 * ms[0], "decoder": 0.3 * ms[0]},
        "memory": Memory(loaded=100 << 20, peak=200 << 20, own=90 << 20),
        "before": NOTHING,
        "after": NOTHING,
        "streams": (run,),
        "pauses": (pause,),
        "energy": None,
    }
    return Round(**{**fields, **changes})


def record(rounds: Sequence[Round], **changes: Any) -> Record:
    """A record of these rounds."""
    processors = Processors(machine=2, affinity=2, quota=None, usable=2)
    fields = {
        "taken": "2026-11-26T12:00:00+00:00",
        "identity": None,
        "device": Device(
            board=None,
            cpu="A CPU",
            features=("avx2",),
            processors=processors,
            virtual=True,
            memory_bytes=1 << 34,
            system="Linux",
            jetson_release=None,
        ),
        "power_mode": PowerMode(**dict.fromkeys(PowerMode.model_fields)),
        "environment": Environment(
            load_average_before=0.1, niceness=0, autogroup_niceness=0, variables={}
        ),
        "software": Software(versions={"sakedge": "0.1.0"}, wheels={}),
        "student": STUDENT,
        "options": Options(
            batch=1,
            streams=(1,),
            intervals_s=(0.1,),
            rounds=len(rounds),
            iterations=None,
            duration_s=1.0,
            warmup=1,
            images=1,
            soak_minutes=None,
        ),
        "rounds": tuple(rounds),
        "results": results_of(rounds) if rounds else None,
        "soak": None,
        "tegrastats": None,
        "missing": {"energy": "no counter"},
    }
    return Record(**{**fields, **changes})


def drawn(seed: int, median: float = 20.0, rounds: int = 5, delayed: float = 0.0) -> Record:
    """A record whose rounds have their own luck, and calls within them some more."""
    random = np.random.default_rng(seed)
    levels = median * np.exp(0.02 * random.standard_normal(rounds))
    calls = [level * np.exp(0.05 * random.standard_normal(40)) for level in levels]
    return record([one_round([float(ms) for ms in each], delayed) for each in calls])
