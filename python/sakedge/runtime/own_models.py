"""Chooses a backend that runs a model of its own: where it, its model or its device is named.

`auto` never takes one by itself. It computes in 16 bits, whose quality no student's file records of
a GPU, and whoever names it has decided that.
"""

from __future__ import annotations

from collections.abc import Mapping

from sakedge.arguments import one_of
from sakedge.backends import registry
from sakedge.backends.base import Backend
from sakedge.errors import OptionError, shown
from sakedge.runtime.precision import PRECISIONS, PrecisionChoice
from sakedge.runtime.session import Chosen, Request

STEMS: Mapping[str, tuple[str, ...]] = {
    "fp16": ("fp16",),
    "bf16": ("bf16",),
    "int8": ("int8", "fp16"),
}
"""Precision → those that the stem may have at it: int8 only where the file's is quantised."""

AUTO = "fp16"
"""What `auto` is there. Its rounding is an eighth of bf16's, at the same speed."""


def choose_own(request: Request) -> tuple[Chosen | None, dict[str, str]]:
    """Chooses a backend with a model of its own, if the request names one.

    One that is named, or whose model is, is taken without asking whether it can run here: it says
    so when it is loaded. One whose device is named gives way to others if it cannot run.

    Returns:
        What was chosen, if anything; and why a backend whose device was named could not be taken.

    Raises:
        OptionError: Backend, model and precision contradict each other.
    """
    named = _named(request)
    if named is not None:
        is_asked_for = request.backend == named
        why = "asked for" if is_asked_for else "auto: what runs the model that was asked for"
        return _chosen(request, registry.own_model(named), why), {}
    refused = {}
    for name in registry.OWN_MODELS if _is_free(request) else ():
        backend = registry.own_model(name)
        if not _is_its_device(request.device, backend):
            if backend.is_installed():
                refused[name] = "auto takes it only where it, its model or its device is named"
            continue
        support = backend.probe(request.device, _precision(request, backend).precision)
        if support.ok:
            return _chosen(request, backend, f"auto: {request.device} is its device"), {}
        refused[name] = support.reason
    return None, refused


def _named(request: Request) -> str | None:
    """The backend that is named, or whose model is.

    Raises:
        OptionError: Another model or backend is named beside it.
    """
    backend = request.backend if isinstance(request.backend, str) else ""
    model = request.options.model
    name = next((each for each in (backend, model) if each in registry.OWN_MODELS), None)
    if name is None:
        return None
    if request.options.choice is not None:
        raise OptionError(
            "a choice that is pinned states model and backend",
            expected="none of them named beside it",
            got=f"model {model}, backend {backend}",
        )
    if backend not in ("auto", name) or model not in ("auto", name):
        raise OptionError(
            f"the backend {name} runs the model {name}, and that runs in no other",
            expected=f"backend='{name}' alone, or another backend with the model host or graph",
            got=f"model {model}, backend {shown(request.backend)}",
        )
    return name


def _is_free(request: Request) -> bool:
    """Whether neither backend nor model is named, nor a choice pinned."""
    free = request.options.model == "auto" and request.options.choice is None
    return free and isinstance(request.backend, str) and request.backend == "auto"


def _is_its_device(device: str | None, backend: Backend) -> bool:
    return device is not None and device.upper().partition(".")[0] in backend.devices


def _precision(request: Request, backend: Backend) -> PrecisionChoice:
    """The precision that was asked for, or `AUTO`.

    Raises:
        OptionError: The backend does not compute in it.
    """
    one_of("precision", request.precision, PRECISIONS)
    if request.precision == "auto":
        return PrecisionChoice(AUTO, f"auto: what {backend.name} takes where none is named")
    one_of(f"precision with the backend {backend.name}", request.precision, ("auto", *STEMS))
    return PrecisionChoice(request.precision, "asked for")


def _chosen(request: Request, backend: Backend, why: str) -> Chosen:
    precision = _precision(request, backend)
    stems = tuple(s for s in STEMS[precision.precision] if request.quantised or s != "int8")
    stem = request.options.stem
    if stem != "auto":
        one_of(f"config['stem'] at {precision.precision}", stem, stems)
    because = "asked for" if stem != "auto" else "as all else"
    if stem == "auto" and len(STEMS[precision.precision]) > 1:
        because = "as the file's is" if request.quantised else "the file's stem is in floats"
    return Chosen(
        model=backend.name,
        model_reason="asked for"
        if request.options.model == backend.name
        else f"auto: the backend {backend.name} runs this model alone",
        backend=backend,
        backend_reason=why,
        refused={},
        ignored="",
        precision=precision,
        stem=stems[0] if stem == "auto" else stem,
        stem_reason=because,
    )
