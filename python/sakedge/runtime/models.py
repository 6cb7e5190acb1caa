"""The models: name → import path, so that one that is not used costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from sakedge.format import StudentFile
from sakedge.runtime.clock import Clock
from sakedge.runtime.model import Model
from sakedge.runtime.session import Request

MODELS: dict[str, str] = {
    "host": "sakedge.runtime.host:load",
    "graph": "sakedge.runtime.graph:load",
}
"""Name → `module:function` that loads it; `auto` is the first."""


def load_model(file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock) -> Model:
    """Loads the model that was asked for.

    Args:
        file: The student.
        tasks: The tasks to load.
        request: What was asked for; `request.options.model` names the model.
        clock: Lapped at `read` and `compile`.

    Raises:
        FileFormatError: The file is damaged.
        BackendError: The model cannot run here; with the reasons.
    """
    name = request.options.model
    module, _, function = MODELS[next(iter(MODELS)) if name == "auto" else name].partition(":")
    model: Model = getattr(import_module(module), function)(file, tasks, request, clock)
    return model
