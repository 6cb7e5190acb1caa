"""Chooses model, backend and precision: as named or pinned, as measured here, or by evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sakedge.backends import registry
from sakedge.errors import ChoiceError, OptionError, SakedgeError, shown
from sakedge.runtime.choice import Choice, Setting, find_choice, read_choice
from sakedge.runtime.evidence import Candidate, is_cpu, rank
from sakedge.runtime.precision import PrecisionChoice, choose_precision, choose_stem, native
from sakedge.runtime.session import Chosen, Request


def choose(request: Request, student: str, models: Collection[str]) -> Chosen:
    """Chooses what runs a student. Nothing is measured.

    Args:
        request: What `load` was asked for.
        student: Content digest of the student's file.
        models: Names of all models.

    Raises:
        OptionError: There is no such precision, the device is no name of one, or a choice is pinned
            and model or backend named as well.
        UnknownBackendError: There is no such backend.
        BackendError: The backend cannot run here, or none can; with the reasons.
        StorageError, FileFormatError: The choice that is pinned cannot be used.
    """
    registry.check_device(request.device)
    precision = choose_precision(request.precision, native(), request.recorded)
    if request.options.choice is not None:
        pinned = _read_pinned(request.options.choice, request, student, models)
        evidence = f"measured on {pinned.date}, {pinned.setting.cpu}"
        reason = f"pinned by {request.options.choice}"
        return _take(pinned, reason, evidence, request, precision)
    measured, ignored = _find_measured(request, student, precision, models)
    if measured is not None:
        reason = f"measured here on {measured.date}"
        try:
            return _take(measured, reason, measured.figures, request, precision)
        except SakedgeError as error:
            ignored = str(error)
    return replace(_by_evidence(request, precision), ignored=ignored)


def _read_pinned(path: Path, request: Request, student: str, models: Collection[str]) -> Choice:
    """The pinned choice; it is no other student's and names a model that there is."""
    if request.options.model != "auto" or not _is_auto(request):
        raise OptionError(
            "a choice that is pinned states model and backend",
            expected="neither of them named beside it",
            got=f"model {request.options.model}, backend {shown(request.backend)}",
        )
    choice = read_choice(path)
    if choice.setting.student != student:
        raise ChoiceError(
            f"{path} was measured with another student",
            expected=f"content digest {student}",
            got=choice.setting.student,
            remedy="Make it again with `sakedge benchmark --choose`",
        )
    if choice.model not in models:
        raise ChoiceError(
            f"{path} names a model that there is not",
            expected=f"one of {', '.join(models)}",
            got=choice.model,
        )
    return choice


def _find_measured(
    request: Request, student: str, precision: PrecisionChoice, models: Collection[str]
) -> tuple[Choice | None, str]:
    """What was measured here, or why it does not apply; where a backend is named nothing does."""
    if not _is_auto(request):
        return None, ""
    here = Setting.here(student, request.device, precision.precision, request.threads)
    choice, ignored = find_choice(request.cache, here)
    wanted = _wanted_model(request)
    allowed = models if wanted == "auto" else (wanted,)
    if choice is not None and choice.model not in allowed:
        return None, f"its model is {choice.model}, and {' or '.join(allowed)} is wanted"
    return choice, ignored


def _take(
    choice: Choice, reason: str, evidence: str, request: Request, precision: PrecisionChoice
) -> Chosen:
    """What the choice names, as if the caller had named it."""
    backend, refused, stem = choose_stem(precision.stems, choice.backend, request.device)
    detailed = f"{reason} ({evidence})"
    return Chosen(choice.model, reason, backend, detailed, refused, "", precision, stem)


def _by_evidence(request: Request, precision: PrecisionChoice) -> Chosen:
    """The first candidate that can run, of those with the names that were named."""
    model, device = _wanted_model(request), request.device
    is_auto = _is_auto(request)
    backends = registry.names() if is_auto else ()

    def order(stem: str) -> Sequence[str]:
        return [each.backend for each in rank(model, device, stem, backends).order]

    backend, refused, stem = choose_stem(precision.stems, request.backend, device, order)
    ranking = rank(model, device, stem, backends if is_auto else (backend.name,))
    candidate = next(each for each in ranking.order if each.backend == backend.name)
    return Chosen(
        candidate.model,
        _model_reason(candidate, request),
        backend,
        f"auto: {ranking.reason}" if is_auto else "asked for",
        refused,
        "",
        precision,
        stem,
    )


def _is_auto(request: Request) -> bool:
    # Whatever was given as a name, an array for one, compares in its own way.
    return isinstance(request.backend, str) and request.backend == "auto"


def _wanted_model(request: Request) -> str:
    """The model, or `auto`; some options leave one."""
    options = request.options
    return "host" if options.model == "auto" and options.min_weight > 0 else options.model


def _model_reason(candidate: Candidate, request: Request) -> str:
    if request.options.model != "auto":
        return "asked for"
    if request.options.min_weight > 0:
        return "auto: no other model has min_weight"
    if is_cpu(request.device):
        return "auto: on a CPU our decoder is the fastest after the stem"
    if candidate.model == "graph":
        return f"auto: everything runs on {request.device} and nothing waits for our decoder"
    return "auto: what a third party's backend compiles is the stem"
