"""The models: name → import path, so that one that is not used costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from sakedge.format import StudentFile
from sakedge.runtime.choosing import choose
from sakedge.runtime.clock import Clock
from sakedge.runtime.model import Model
from sakedge.runtime.session import Request

MODELS: dict[str, str] = {
    "host": "sakedge.runtime.host:load",
    "graph": "sakedge.runtime.graph:load",
}
"""Name → `module:function` that loads it."""


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
    chosen = choose(request, file.content_digest, tuple(MODELS))
    module, _, function = MODELS[chosen.model].partition(":")
    load = getattr(import_module(module), function)
    model: Model = load(file, tasks, replace(request, chosen=chosen), clock)
    return model
