"""What a pack of an adapter brings of routers: the new expert's columns, or whole ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.convert.opened import Opened
from sakedge.errors import AdapterMismatchError
from sakedge.format import AdapterInfo, Manifest, StudentFile
from sakedge.format.pack.manifest import ROUTERS
from sakedge.format.student.int8 import stored_as

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Routing:
    """What a pack brings of routers.

    Attributes:
        tensors: By canonical name.
        fields: Those of the manifest that say so.
    """

    tensors: Tensors = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)


def routing_of(
    opened: Opened, student: StudentFile | None, info: AdapterInfo, *, whole: bool
) -> Routing:
    """What the pack of an adapter brings of the routers that a checkpoint has.

    Args:
        opened: The checkpoint.
        student: The student that the pack is for, if one is given.
        info: The adapter.
        whole: Whether whole routers are wanted.

    Raises:
        AdapterMismatchError: Routers do not fit the student, or only whole ones do.
    """
    ours = opened.manifest
    theirs = ours if student is None else student.manifest
    if not (ours.architecture.is_routed and theirs.architecture.is_routed):
        return Routing()
    tasks = tuple(task for task in theirs.task_names if task in ours.task_names)
    if whole:
        experts = _experts(ours, theirs, info)
        columns = _columns(ours, experts)
        tensors: dict[str, NDArray[Any]] = {}
        for task in tasks:
            tensors |= _gated(opened.component(f"routers.{task}"), columns)
        fields = {"retrained_tasks": tasks, "experts": experts, "requires": (ROUTERS,)}
        return Routing(tensors, fields if tasks else {})
    if student is None or info.teacher in [each.teacher for each in theirs.adapters]:
        return Routing()
    tensors = {}
    for task in tasks:
        component = f"routers.{task}"
        trained = opened.component(component)
        _check_untouched(ours, student, component, trained)
        column = _gated(trained, _columns(ours, (info.name,))[1:])
        tensors |= {name: tensor for name, tensor in column.items() if _is_gate(name)}
    return Routing(tensors, {"routed_tasks": tasks})


def _experts(ours: Manifest, theirs: Manifest, info: AdapterInfo) -> tuple[str, ...]:
    """The adapters of the student with this one; the routers have learnt to weigh them all."""
    known = theirs.adapter_names
    experts = known if info.name in known else (*known, info.name)
    missing = [name for name in experts if name not in ours.adapter_names]
    if missing:
        raise AdapterMismatchError(
            f"the routers that were trained with {info.name} do not weigh adapter {missing[0]}",
            expected=f"routers over {', '.join(experts)}",
            got=f"routers over {', '.join(ours.adapter_names)}",
            remedy="Train with all adapters that the student has",
        )
    return experts


def _check_untouched(
    ours: Manifest, student: StudentFile, component: str, trained: Tensors
) -> None:
    """Checks that routers are the student's, but for the columns of experts that it lacks."""
    theirs = student.manifest
    both = [name for name in theirs.adapter_names if name in ours.adapter_names]
    before = _gated(student.component(component), _columns(theirs, both))
    after = stored_as(_gated(trained, _columns(ours, both)), theirs.storage.of(component))
    for name, tensor in after.items():
        if not np.array_equal(tensor, before[name]):
            raise AdapterMismatchError(
                f"{component} was trained too: {name} is not the student's",
                expected="routers of which only the new expert's column was trained",
                remedy="Take the whole routers with --routers (routers=True)",
            )


def _columns(manifest: Manifest, adapters: Iterable[str]) -> list[int]:
    """Where the stem and these adapters are among the experts."""
    return [0, *(1 + manifest.adapter_names.index(name) for name in adapters)]


def _gated(router: Tensors, experts: list[int]) -> dict[str, NDArray[Any]]:
    """Routers that weigh only these experts, in this order."""
    return {
        name: np.ascontiguousarray(tensor[..., experts]) if _is_gate(name) else tensor
        for name, tensor in router.items()
    }


def _is_gate(name: str) -> bool:
    return name.endswith((".gate.weight", ".gate.bias"))
