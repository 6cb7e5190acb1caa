"""The models: name → import path, so that one that is not used costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from sakedge.backends import registry
from sakedge.errors import BackendError
from sakedge.format import StudentFile
from sakedge.runtime.choosing import choose
from sakedge.runtime.clock import Clock
from sakedge.runtime.model import Model
from sakedge.runtime.session import Request

MODELS: dict[str, str] = {
    "host": "sakedge.runtime.host:load",
    "graph": "sakedge.runtime.graph:load",
    "cuda": "sakedge.runtime.cuda:load",
}
"""Name → `module:function` that loads it."""

CHOOSABLE = tuple(name for name in MODELS if name not in registry.OWN_MODELS)
"""Those that run in any backend that compiles graphs, and that a choice may name."""


def load_model(file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock) -> Model:
    """Loads the model that was asked for, or that suits.

    Args:
        file: The student.
        tasks: The tasks to load.
        request: What was asked for.
        clock: Lapped at `read` and `compile`.

    Raises:
        OptionError: A name of what there is not, or names that contradict each other.
        FileFormatError: The file, or a choice that is pinned, is damaged.
        BackendError: The model cannot run here; with the reasons.
    """
    chosen = choose(request, file.content_digest, CHOOSABLE)
    request = replace(request, chosen=chosen)
    if request.options.fallback == "none" or chosen.backend.name not in registry.OWN_MODELS:
        model: Model = _load(file, tasks, request, clock)
        return model
    return _load_with_spare(file, tasks, request, clock)


def _load(file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock) -> Any:
    """Loads the model that was chosen."""
    assert request.chosen is not None
    module, _, function = MODELS[request.chosen.model].partition(":")
    return getattr(import_module(module), function)(file, tasks, request, clock)


def _load_with_spare(
    file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock
) -> Model:
    """Loads the model on a device with one on the CPU that takes over; that has to load."""
    from sakedge.runtime.fallback import FallbackModel

    options = request.options.model_copy(update={"model": "auto", "stem": "auto"})
    on_cpu = replace(request, backend="auto", device=None, precision="auto", options=options)
    on_cpu = replace(on_cpu, chosen=choose(on_cpu, file.content_digest, CHOOSABLE))
    spare = _load(file, tasks, on_cpu, clock)
    assert request.chosen is not None
    try:
        device = _load(file, tasks, request, clock)
    except BackendError as error:
        device = error
    return FallbackModel(request.chosen.backend.name, device, spare)
