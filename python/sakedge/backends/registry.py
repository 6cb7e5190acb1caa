"""The available backends, and which one runs.

A backend is a name and an import path, so that a runtime that is not installed costs nothing. Most
compile graphs; third parties add theirs by an entry point in the group `sakedge.backends`. Others
run a model of their own and no graph, and only where they are named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import EntryPoint, distributions
from reprlib import repr as brief
from typing import Any

from sakedge.backends.base import Backend, GraphBackend, OwnModelBackend, Support
from sakedge.backends.foreign import ForeignBackend
from sakedge.backends.runtimes import DOCTOR_SAYS, gist
from sakedge.errors import BackendError, OptionError, UnknownBackendError

GROUP = "sakedge.backends"

BACKENDS: dict[str, str] = {
    "openvino": "sakedge.backends.openvino.backend:OpenVinoBackend",
    "onnxruntime": "sakedge.backends.onnxruntime.backend:OnnxRuntimeBackend",
}
"""Those that compile graphs: name → `module:class`, in the order in which `auto` tries them where
nothing says otherwise."""

OWN_MODELS: dict[str, str] = {"cuda": "sakedge.cuda.backend:CudaBackend"}
"""Those that run the model of their own name, and no graphs: name → `module:class`."""


def names() -> tuple[str, ...]:
    """Names of all backends that compile graphs, third parties' last."""
    return (*BACKENDS, *sorted(third_parties()))


def all_names() -> tuple[str, ...]:
    """Names of all backends, those that compile graphs first."""
    return (*names(), *OWN_MODELS)


def own_model(name: str) -> OwnModelBackend:
    """A backend of `OWN_MODELS`; its `probe` says whether it can run here."""
    made: Callable[[], OwnModelBackend] = _imported(OWN_MODELS[name])
    return made()


def get(name: str) -> GraphBackend:
    """A backend that compiles graphs, by name; its `probe` says whether it can run here.

    Raises:
        UnknownBackendError: There is none of that name.
        BackendError: It compiles no graphs; or a third party's backend cannot be imported, or is
            not a backend.
    """
    if isinstance(name, str) and name in BACKENDS:
        made: Callable[[], GraphBackend] = _imported(BACKENDS[name])
        return made()
    if _has_own_model(name):
        raise BackendError(
            f"the backend {name} compiles no graphs, and runs a model of its own",
            expected=f"one of {', '.join(names())}",
        )
    entry = third_parties().get(name) if isinstance(name, str) else None
    if entry is None:
        raise UnknownBackendError(
            "unknown backend", expected=f"auto or one of {', '.join(all_names())}", got=brief(name)
        )
    remedy = "Repair or uninstall the package that provides it"
    try:
        backend = entry.load()()
        foreign = ForeignBackend(name, backend) if isinstance(backend, GraphBackend) else None
    except (Exception, SystemExit) as error:  # third-party code may fail in any way
        raise BackendError(
            f"the backend {name} ({entry.value}) cannot be loaded",
            got=f"{type(error).__name__}: {gist(error)}",
            remedy=remedy,
        ) from error
    if foreign is None:
        raise BackendError(
            f"the backend {name} ({entry.value}) cannot be used",
            expected="the members name, devices, probe and compile",
            got=f"a {type(backend).__name__} that lacks one of them",
            remedy=remedy,
        )
    return foreign


def choose(
    name: str, device: str | None = None, tries: Sequence[tuple[str, str]] | None = None
) -> tuple[GraphBackend, str, dict[str, str]]:
    """Chooses what compiles graphs, and the precision: the first that can run.

    A backend that was named runs or is an error: it never falls back to another.

    Args:
        name: Name of a backend, or `auto`.
        device: `CPU`, `GPU`, `NPU`, `AUTO`, or None for each backend's default.
        tries: Backends, with precisions as for `probe`, in the order in which they are tried; None
            is all of them, or the one that was named, at fp32.

    Returns:
        The backend, its precision, and why those before were skipped: by backend, and precision
        where several are tried.

    Raises:
        UnknownBackendError: There is none of that name.
        OptionError: The device is no name of one.
        BackendError: The named backend, or every one, cannot run here; with all reasons.
    """
    check_device(device)
    is_auto = isinstance(name, str) and name == "auto"
    if not is_auto:
        get(name)
    if tries is None:
        tries = [(each, "fp32") for each in (names() if is_auto else (name,))]
    precisions = {precision for _, precision in tries}
    refused: dict[str, str] = {}
    for each, precision in tries:
        support = probe(each, device, precision)
        if support.ok:
            return get(each), precision, refused
        refused[each if len(precisions) == 1 else f"{each} at {precision}"] = support.reason
    if not is_auto:
        raise BackendError(
            f"the backend {name} cannot run here: {'; '.join(dict.fromkeys(refused.values()))}",
            remedy=f"Choose another one, or backend='auto': {DOCTOR_SAYS}",
        )
    at = f"at {' or '.join(dict.fromkeys(precision for _, precision in tries))}"
    where = f"on {device} {at}" if device else at
    reasons = "; ".join(f"{each}: {reason}" for each, reason in refused.items())
    raise BackendError(f"no backend can run {where}: {reasons}", remedy=DOCTOR_SAYS)


def probe(name: str, device: str | None = None, precision: str = "fp32") -> Support:
    """Whether a backend can run here; one that cannot be loaded cannot.

    Raises:
        UnknownBackendError: There is none of that name.
        OptionError: The device is no name of one.
    """
    check_device(device)
    try:
        backend: Backend = own_model(name) if _has_own_model(name) else get(name)
        return backend.probe(device, precision)
    except BackendError as error:
        return Support(False, str(error))


def check_device(device: str | None) -> None:
    """Checks a device's name: short and plain, so that it can be shown and handed to a driver.

    Raises:
        OptionError: It is no such name.
    """
    if device is None:
        return
    if not isinstance(device, str) or not re.fullmatch(r"[\w.:,()-]{1,64}", device, re.ASCII):
        raise OptionError(
            "device is no name of a device",
            expected="CPU, GPU, NPU, AUTO or another that a backend knows, or None",
            got=brief(device),
        )


def third_parties() -> dict[str, EntryPoint]:
    """Entry points by name, the first on the path; a package with broken metadata brings none."""
    found: dict[str, EntryPoint] = {}
    for package in distributions():
        with suppress(Exception):
            for entry in package.entry_points.select(group=GROUP):
                if entry.name not in BACKENDS and entry.name not in OWN_MODELS:
                    found.setdefault(entry.name, entry)
    return found


def _has_own_model(name: object) -> bool:
    return isinstance(name, str) and name in OWN_MODELS


def _imported(place: str) -> Any:
    """What stands at a `module:name`."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
