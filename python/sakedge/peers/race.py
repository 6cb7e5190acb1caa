"""Runs contestants in turn, each time in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from sakedge.errors import BackendError
from sakedge.format import StudentFile
from sakedge.peers.scratch import scratch
from sakedge.peers.types import Contestant, Plan, Race, Request, Sample
from sakedge.progress import Progress
from sakedge.runtime import machine
from sakedge.runtime.workers import worker

REFERENCE = Contestant("onnxruntime", "fp32", "sakedge.peers.runners:stock")
_WORKER = worker("sakedge.peers.worker")
_LONGEST = 300


def race(
    student: str | Path,
    contestants: Sequence[Contestant],
    plan: Plan,
    *,
    reference: Path | None = None,
    progress: Progress | None = None,
) -> Race:
    """Runs all contestants, ours first, then all again, for the plan's rounds.

    Beforehand stock ONNX Runtime's logits are taken once, and what each contestant computes is
    compared with them: a time says nothing about a result that is wrong. One that cannot run is
    left out with its reason.

    Args:
        student: The file.
        contestants: Ours first.
        plan: How to measure.
        reference: Where those logits are kept for further races of the same file and batch; reused
            if they are there. None keeps them for this race only.
        progress: Called with the progress made.

    Raises:
        FileFormatError, StorageError: The file is not a student, or cannot be read.
        BackendError: Stock ONNX Runtime cannot run the file.
    """
    tell = progress or (lambda step, share: None)
    path = str(Path(student).absolute())
    with StudentFile.open(path) as file:
        digest = file.content_digest
    samples: dict[str, list[Sample | None]] = {each.label: [] for each in contestants}
    refused: dict[str, str] = {}
    total = plan.rounds * len(contestants) + 1
    done = 0
    with scratch() as folder:
        logits = str(reference or folder / "reference.npz")
        if not Path(logits).exists():
            tell("reference", 0.0)
            answer = run_fresh(Request(path, REFERENCE, plan, save=logits))
            if isinstance(answer, str):
                raise BackendError(
                    "stock ONNX Runtime cannot run the file",
                    got=answer,
                    remedy="Update onnxruntime; logits are compared with its own",
                )
        for number in range(plan.rounds):
            for each in contestants:
                done += 1
                tell(f"round {number + 1}: {each.label}", done / total)
                sits_out = each.rounds is not None and number >= each.rounds
                sample: Sample | str | None = None
                if not sits_out and each.label not in refused:
                    sample = run_fresh(Request(path, each, plan, reference=logits))
                if isinstance(sample, str):
                    refused[each.label] = sample
                    sample = None
                samples[each.label].append(sample)
    tell("done", 1.0)
    return Race(path, digest, plan, list(contestants), samples, refused, machine.describe())


def run_fresh(request: Request) -> Sample | str:
    """Runs one contestant in a fresh process.

    Returns:
        What was measured, or why nothing was.
    """
    ended = subprocess.run(
        _WORKER,
        input=TypeAdapter(Request).dump_json(request).decode(),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(request.plan.threads)},
        check=False,
    )
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        words = ended.stderr.strip().splitlines()
        return f"its process ended with {ended.returncode}: {words[-1] if words else ''}"[:_LONGEST]
    answer = json.loads(lines[-1])
    if "refused" in answer:
        return str(answer["refused"])
    return TypeAdapter(Sample).validate_python(answer)
