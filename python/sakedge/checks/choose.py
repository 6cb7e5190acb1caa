"""Measures every model, backend and precision of the stem that can run here, and chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sakedge.backends import registry
from sakedge.backends.runtimes import DOCTOR_SAYS
from sakedge.checks.tolerances import TOLERANCES
from sakedge.checks.verify import able_backends, decide
from sakedge.errors import BackendError
from sakedge.format import StudentFile
from sakedge.peers import Contestant, Plan, Race, race
from sakedge.peers.types import DECODED
from sakedge.progress import Progress
from sakedge.runtime import machine
from sakedge.runtime.choice import Choice, Measured, Setting
from sakedge.runtime.choosing import ranked
from sakedge.runtime.evidence import Candidate
from sakedge.runtime.models import CHOOSABLE

ALIKE = 0.02
"""Times that differ by less count as equal; then what `load` takes without a choice comes first."""

_LONGEST = 300
"""Characters of a reason."""


def choose(
    student: str | Path,
    plan: Plan,
    *,
    device: str | None = None,
    precision: str = "auto",
    cache_dir: str | None = None,
    progress: Progress | None = None,
) -> Choice:
    """Measures all candidates in turn, in fresh processes, and chooses the fastest.

    One whose logits differ from stock ONNX Runtime's by more than `verify` allows is not chosen.

    Args:
        student: The file.
        plan: How to measure.
        device: As for `sakedge.load`.
        precision: As for `sakedge.load`.
        cache_dir: Where compiled graphs are kept meanwhile.
        progress: Called with the progress made.

    Raises:
        FileFormatError, StorageError: The file is not a student, or cannot be read.
        OptionError: There is no such precision, or the device is no name of one.
        BackendError: No candidate can run here, or none computes what stock ONNX Runtime does.
    """
    with StudentFile.open(student) as file:
        manifest, digest = file.manifest, file.content_digest
    decided = decide(precision, manifest, digest)
    candidates = candidates_for(device, decided.stems(manifest.storage.stem == "int8"))
    options = {"device": device, "cache_dir": cache_dir}
    contestants = [_contestant(each, decided.precision, options) for each in candidates]
    found = race(student, contestants, plan, progress=progress)
    # Stock ONNX Runtime runs the file as it is, and at other precisions we round no inputs.
    rounded = "int8" if manifest.storage.has_int8 else decided.precision
    tolerance = max(TOLERANCES[decided.precision], TOLERANCES[rounded])
    measured = [
        _measured(candidate, found, contestant.label, tolerance)
        for candidate, contestant in zip(candidates, contestants, strict=True)
    ]
    best = fastest(measured)
    return Choice(
        model=best.model,
        backend=best.backend,
        stem=best.stem,
        setting=Setting.here(digest, device, decided.precision, plan.threads),
        versions=machine.backend_versions(),
        date=f"{datetime.now():%Y-%m-%d}",
        measured=tuple(measured),
    )


def candidates_for(device: str | None, stems: Sequence[str]) -> list[Candidate]:
    """Every model, backend and stem that can run, first those that `load` would try first.

    Args:
        device: As for `sakedge.load`.
        stems: The precisions that the stem may have.

    Raises:
        OptionError: The device is no name of one.
        BackendError: None can.
    """
    able, _ = able_backends("auto", device, stems)
    order = [
        candidate
        for model in ("auto", *CHOOSABLE)
        for candidate, _ in ranked(model, device, stems, able)
    ]
    return [
        each for each in dict.fromkeys(order) if registry.probe(each.backend, device, each.stem).ok
    ]


def _contestant(candidate: Candidate, precision: str, options: dict[str, Any]) -> Contestant:
    config = {"model": candidate.model, "stem": candidate.stem}
    return Contestant(
        " ".join(candidate),
        precision,
        "sakedge.peers.runners:ours",
        {**options, "backend": candidate.backend, "config": config},
    )


def _measured(candidate: Candidate, found: Race, label: str, tolerance: float) -> Measured:
    error, refused = found.error(label), found.refused.get(label)
    if error is not None and not error <= tolerance:  # a NaN too
        refused = f"its outputs are off: an error of {error:.1e}, more than {tolerance:.0e}"
    return Measured(
        model=candidate.model,
        backend=candidate.backend,
        stem=candidate.stem,
        ms=found.ms(label, DECODED),
        peak=found.memory(label, "peak", DECODED),
        error=error if error is None or math.isfinite(error) else None,
        refused=refused if refused is None else refused[:_LONGEST],
    )


def fastest(measured: Sequence[Measured]) -> Measured:
    """The fastest that can be chosen, or the first of those that are as fast.

    Raises:
        BackendError: None can.
    """
    able = [each for each in measured if each.refused is None and each.ms is not None]
    if not able:
        reasons = "; ".join(f"{each}: {each.refused}" for each in measured)
        raise BackendError(f"none of the candidates can be chosen: {reasons}", remedy=DOCTOR_SAYS)
    least = min(each.ms for each in able if each.ms is not None)
    return next(e for e in able if e.ms is not None and e.ms <= least * (1 + ALIKE))
