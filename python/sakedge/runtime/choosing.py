"""Chooses model, backend and precision: as named or pinned, as measured here, or by evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sakedge.arguments import one_of
from sakedge.backends import registry
from sakedge.backends.base import GraphBackend
from sakedge.errors import BackendError, ChoiceError, OptionError, SakedgeError, shown
from sakedge.runtime.choice import Choice, Setting, find_choice, read_choice
from sakedge.runtime.evidence import Candidate, is_cpu, rank
from sakedge.runtime.own_models import choose_own
from sakedge.runtime.precision import PrecisionChoice, choose_precision, gainful
from sakedge.runtime.session import Chosen, Request

Ranked = list[tuple[Candidate, str]]
"""Candidates in the order in which they are tried, each with the reason for its place."""


def choose(request: Request, student: str, models: Collection[str]) -> Chosen:
    """Chooses what runs a student. Nothing is measured.

    Args:
        request: What `load` was asked for.
        student: Content digest of the student's file.
        models: Names of the models that run in any backend that compiles graphs.

    Raises:
        OptionError: There is no such precision, the stem has none of that name, the device is no
            name of one, or a choice is pinned and model, backend or stem named as well.
        UnknownBackendError: There is no such backend.
        BackendError: The backend cannot run here, or none can; with the reasons.
        StorageError, FileFormatError: The choice that is pinned cannot be used.
    """
    registry.check_device(request.device)
    own, refused = choose_own(request)
    if own is not None:
        return own
    chosen = _choose(request, student, models)
    return replace(chosen, refused={**refused, **chosen.refused})


def _choose(request: Request, student: str, models: Collection[str]) -> Chosen:
    """Chooses among the backends that compile graphs."""
    if not _is_auto(request):
        registry.get(request.backend)  # whatever was given as a name may compare in its own way
    path = request.options.choice
    pinned = None if path is None else _read_pinned(path, request, student, models)
    named = pinned.backend if pinned else None if _is_auto(request) else request.backend
    recorded = _recorded(request, named)
    while True:
        precision = choose_precision(request.precision, gainful(), recorded)
        # Under `auto` a lower precision is for the backends in which its quality is recorded.
        only = recorded.pop(precision.precision, None) if request.precision == "auto" else None
        try:
            return _choose_at(precision, only, request, student, models, pinned)
        except BackendError:
            if only is None:
                raise


def stems_of(precision: PrecisionChoice, quantised: bool, stem: str) -> tuple[str, ...]:
    """The precisions that a stem may have, or the one that was named.

    Args:
        precision: The precision that was chosen.
        quantised: Whether the stem in the student's file is.
        stem: One of them, or `auto`.

    Raises:
        OptionError: It is none of them.
    """
    able = precision.stems(quantised)
    if stem == "auto":
        return able
    one_of(f"config['stem'] at {precision.precision}", stem, able)
    return (stem,)


def ranked(model: str, device: str | None, able: Sequence[str], backends: Sequence[str]) -> Ranked:
    """The candidates for a stem that may have these precisions.

    Args:
        model: As for `rank`.
        device: The same.
        able: The precisions; a stem that may be `int8` is quantised.
        backends: As for `rank`.
    """
    rankings = [
        rank(model, device, each, backends) for each in (("int8",) if "int8" in able else able)
    ]
    return [(each, found.reason) for found in rankings for each in found.order]


def _choose_at(
    precision: PrecisionChoice,
    only: Collection[str] | None,
    request: Request,
    student: str,
    models: Collection[str],
    pinned: Choice | None,
) -> Chosen:
    """Chooses at a precision; in these backends only, if any are given."""
    if pinned is not None:
        evidence = f"measured on {pinned.date}, {pinned.setting.cpu}"
        return _take(pinned, f"pinned by {request.options.choice}", evidence, request, precision)
    measured, ignored = _find_measured(request, student, precision, models)
    if measured is not None and only is not None and measured.backend not in only:
        ignored = f"the file records no quality at {precision.precision} in {measured.backend}"
    elif measured is not None:
        reason = f"measured here on {measured.date}"
        try:
            return _take(measured, reason, measured.figures, request, precision)
        except SakedgeError as error:
            ignored = str(error)
    return replace(_by_evidence(request, precision, only), ignored=ignored)


def _recorded(request: Request, named: str | None) -> dict[str, Collection[str]]:
    """Precision → the backends in which `auto` may take it: all that a file records is of CPUs."""
    if not is_cpu(request.device):
        return {}
    found = {
        precision: [each for each in backends if named is None or each == named]
        for precision, backends in request.recorded.items()
    }
    return {precision: backends for precision, backends in found.items() if backends}


def _read_pinned(path: Path, request: Request, student: str, models: Collection[str]) -> Choice:
    """The pinned choice; it is no other student's and names a model that there is."""
    options = request.options
    if options.model != "auto" or options.stem != "auto" or not _is_auto(request):
        raise OptionError(
            "a choice that is pinned states model, backend and stem",
            expected="none of them named beside it",
            got=f"model {options.model}, backend {shown(request.backend)}, stem {options.stem}",
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
    stem = request.options.stem
    if choice is not None and choice.stem is not None and stem not in ("auto", choice.stem):
        return None, f"its stem is at {choice.stem}, and {stem} is wanted"
    return choice, ignored


def _take(
    choice: Choice, reason: str, evidence: str, request: Request, precision: PrecisionChoice
) -> Chosen:
    """What the choice names, as if the caller had named it."""
    able = precision.stems(request.quantised)
    stems = stems_of(precision, request.quantised, request.options.stem)
    # A choice of version 1 names none, and a pinned one may have been made at another precision.
    stems = (choice.stem,) if choice.stem in stems else stems
    order = ranked(choice.model, request.device, able, (choice.backend,))
    candidate, because, backend, refused = _first(order, stems, choice.backend, request.device)
    because = reason if choice.stem in stems else because
    return Chosen(
        choice.model,
        reason,
        backend,
        f"{reason} ({evidence})",
        refused,
        "",
        precision,
        candidate.stem,
        _stem_reason(candidate.stem, precision, request, because),
    )


def _by_evidence(
    request: Request, precision: PrecisionChoice, only: Collection[str] | None
) -> Chosen:
    """The first candidate that can run, of those with the names that were named."""
    is_auto = _is_auto(request)
    backends = registry.names() if is_auto else (registry.get(request.backend).name,)
    if only is not None:
        backends = tuple(each for each in backends if each in only)
    able = precision.stems(request.quantised)
    stems = stems_of(precision, request.quantised, request.options.stem)
    order = ranked(_wanted_model(request), request.device, able, backends)
    candidate, reason, backend, refused = _first(order, stems, request.backend, request.device)
    return Chosen(
        candidate.model,
        _model_reason(candidate, request),
        backend,
        f"auto: {reason}" if is_auto else "asked for",
        refused,
        "",
        precision,
        candidate.stem,
        _stem_reason(candidate.stem, precision, request, f"auto: {reason}"),
    )


def _first(
    order: Ranked, stems: Sequence[str], name: str, device: str | None
) -> tuple[Candidate, str, GraphBackend, dict[str, str]]:
    """The first candidate that can run with one of these precisions of the stem.

    Returns:
        The candidate, the reason for its place, its backend, and why those before were skipped.
    """
    able = [pair for pair in order if pair[0].stem in stems]
    tries = [(each.backend, each.stem) for each, _ in able]
    backend, stem, refused = registry.choose(name, device, tries)
    at = tries.index((backend.name, stem))
    return *able[at], backend, refused


def _is_auto(request: Request) -> bool:
    # Whatever was given as a name, an array for one, compares in its own way.
    return isinstance(request.backend, str) and request.backend == "auto"


def _wanted_model(request: Request) -> str:
    """The model, or `auto`; some options leave one."""
    options = request.options
    return "host" if options.model == "auto" and options.min_weight > 0 else options.model


def _stem_reason(stem: str, precision: PrecisionChoice, request: Request, evidence: str) -> str:
    if request.options.stem != "auto":
        why = "asked for"
    elif len(precision.stems(quantised=True)) == 1:
        why = "as all else"
    else:
        why = evidence if request.quantised else "the file's stem is in floats"
    return f"from the file's int8 weights; {why}" if request.quantised and stem != "int8" else why


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
