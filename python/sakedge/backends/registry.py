"""The available backends, and which one runs.

A backend is a name and an import path, so that a runtime that is not installed costs nothing.
Third parties add theirs by an entry point in the group `sakedge.backends`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import EntryPoint, distributions
from reprlib import repr as brief

from sakedge.backends.base import Backend, Support
from sakedge.backends.foreign import ForeignBackend
from sakedge.backends.runtimes import gist
from sakedge.errors import BackendError, OptionError, UnknownBackendError

GROUP = "sakedge.backends"

BACKENDS: dict[str, str] = {
    "openvino": "sakedge.backends.openvino.backend:OpenVinoBackend",
    "onnxruntime": "sakedge.backends.onnxruntime.backend:OnnxRuntimeBackend",
}
"""Name → `module:class`, in the order in which `auto` tries them where nothing says otherwise."""


def names() -> tuple[str, ...]:
    """Names of all backends, third parties' last."""
    return (*BACKENDS, *sorted(third_parties()))


def get(name: str) -> Backend:
    """A backend by name; its `probe` says whether it can run here.

    Raises:
        UnknownBackendError: There is none of that name.
        BackendError: A third party's backend cannot be imported, or is not a backend.
    """
    if isinstance(name, str) and name in BACKENDS:
        module, _, attribute = BACKENDS[name].partition(":")
        made: Callable[[], Backend] = getattr(import_module(module), attribute)
        return made()
    entry = third_parties().get(name) if isinstance(name, str) else None
    if entry is None:
        raise UnknownBackendError(
            "unknown backend", expected=f"auto or one of {', '.join(names())}", got=brief(name)
        )
    remedy = "Repair or uninstall the package that provides it"
    try:
        made = entry.load()
        backend = made()
        foreign = ForeignBackend(name, backend) if isinstance(backend, Backend) else None
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
) -> tuple[Backend, str, dict[str, str]]:
    """Chooses the backend and its precision: the first that can run.

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
            remedy="Choose another one, or backend='auto'",
        )
    at = f"at {' or '.join(dict.fromkeys(precision for _, precision in tries))}"
    where = f"on {device} {at}" if device else at
    reasons = "; ".join(f"{each}: {reason}" for each, reason in refused.items())
    raise BackendError(f"no backend can run {where}: {reasons}")


def probe(name: str, device: str | None = None, precision: str = "fp32") -> Support:
    """Whether a backend can run here; one that cannot be loaded cannot.

    Raises:
        UnknownBackendError: There is none of that name.
        OptionError: The device is no name of one.
    """
    check_device(device)
    try:
        return get(name).probe(device, precision)
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
                if entry.name not in BACKENDS:
                    found.setdefault(entry.name, entry)
    return found
