"""In what two records were measured differently, and whether that makes them different work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sakedge.benchmarking.record import Record

_WORK = {
    "digest": "student",
    "input_size": "image size",
    "tasks": "tasks",
    "adapters": "adapters",
}
"""Fields of the student that are other work where they differ."""
_RUNS = ("model", "backend", "device", "precision", "stem_precision", "threads", "isa")


@dataclass(frozen=True)
class Difference:
    """A setting that differs.

    Attributes:
        what: Its name.
        before: In the first record.
        after: In the second.
        is_other_work: Whether what was computed is another thing.
    """

    what: str
    before: str
    after: str
    is_other_work: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.before} and {self.after}"


def differences(before: Record, after: Record) -> list[Difference]:
    """All settings that differ, other work first."""
    return [
        Difference(what, _shown(first), _shown(second), is_other_work)
        for what, first, second, is_other_work in _settings(before, after)
        if first != second
    ]


def _settings(a: Record, b: Record) -> Iterator[tuple[str, Any, Any, bool]]:
    for field, what in _WORK.items():
        yield what, a.student.get(field), b.student.get(field), True
    yield "images in a call", a.options.batch, b.options.batch, True
    for field in _RUNS:
        yield field.replace("_", " "), a.student.get(field), b.student.get(field), False
    yield "board", a.device.board, b.device.board, False
    yield "CPU", a.device.cpu, b.device.cpu, False
    yield "instruction sets", a.device.features, b.device.features, False
    yield "processors", a.device.processors.usable, b.device.processors.usable, False
    yield "system", a.device.system, b.device.system, False
    for field in type(a.power_mode).model_fields:
        name = field.replace("_", " ")
        yield name, getattr(a.power_mode, field), getattr(b.power_mode, field), False
    first, second = a.software.versions, b.software.versions
    for package in sorted({*first, *second}):
        yield f"version of {package}", first.get(package), second.get(package), False
    yield "priority (niceness)", a.environment.niceness, b.environment.niceness, False
    session = [each.environment.autogroup_niceness for each in (a, b)]
    yield "priority of the session", session[0], session[1], False
    yield "variables", dict(a.environment.variables), dict(b.environment.variables), False
    yield "images", a.options.images, b.options.images, False
    yield "warm-up calls", a.options.warmup, b.options.warmup, False


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items()) or "none"
    text = str(value)
    return f"{text[:16]}…" if len(text) == 64 and text.isalnum() else text
