"""The graph of a student with some adapters, compiled in a runtime."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.snapshot import Snapshot
from sakedge.backends.base import Session
from sakedge.errors import BackendError
from sakedge.format import GraphForm, Manifest, exported_graph
from sakedge.format.student.parts import AdapterInfo
from sakedge.runtime.forks import ForkGuard
from sakedge.runtime.parts import Tensors
from sakedge.runtime.session import Compiler

_Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Maps:
    """What the graph gives for one image.

    Attributes:
        maps: By task, float32 [H/4, W/4, classes].
        routing: By task, float32 [levels, experts], as `Decoded.routing`.
    """

    maps: Mapping[str, _Float32]
    routing: Mapping[str, _Float32]


class CompiledGraph:
    """A session of the graph with the tasks and adapters of one snapshot, and no others.

    It runs that snapshot and every one that is narrowed from it.

    Args:
        compiler: What compiles it.
        manifest: The student's manifest.
        stem: The stem's tensors.
        snapshot: Its parts are `Tensors`.

    Attributes:
        details: What the runtime reports, and how long exporting and compiling took.

    Raises:
        BackendError: The runtime refused the graph.
    """

    def __init__(
        self, compiler: Compiler, manifest: Manifest, stem: Tensors, snapshot: Snapshot
    ) -> None:
        began = time.perf_counter()
        self._manifest = manifest
        self._form = GraphForm(
            tasks=tuple(snapshot.heads),
            adapters=snapshot.active,
            outputs="maps",
            routing=manifest.architecture.is_routed,
            mask=bool(snapshot.adapters),
            opset=compiler.opset,
            batch=1,  # static shapes, which every device likes
        )
        components: dict[str, Any] = {"stem": stem}
        components |= {part.id.component: part.prepared for part in snapshot.parts}
        digests = {part.component: part.digest for part in snapshot.ids}
        graph = exported_graph(_having(manifest, snapshot), components, self._form, digests)
        self._session: Session = compiler.compile(graph)
        self._outputs = graph.outputs
        spent = 1000 * (time.perf_counter() - began)
        self.details = {**self._session.details, "exported and compiled in": f"{spent:.0f} ms"}
        # A student's guard keeps its model from being destroyed in a forked child, and not this.
        self._guard = ForkGuard(self)

    def run(self, image: _Float32, snapshot: Snapshot) -> Maps:
        """Runs one normalised image [1, 3, H, W] with those adapters that the snapshot has.

        Raises:
            BackendError: The runtime failed, or computed something else than the graph.
        """
        active = _mask(self._form.adapters, snapshot)
        found = self._session.run(image, *([active] if self._form.mask else []))
        outputs = dict(zip(self._outputs, found, strict=True))
        return Maps(
            {task.name: self._map(outputs, task.name, task.classes) for task in snapshot.tasks},
            {task.name: self._routing(outputs, task.name, snapshot) for task in snapshot.tasks},
        )

    def _map(self, outputs: Mapping[str, _Float32], task: str, classes: int) -> _Float32:
        height, width = self._manifest.input_size
        found = _shaped(outputs, f"heads.{task}.last", (1, classes, height // 4, width // 4))
        return np.ascontiguousarray(np.moveaxis(found[0], 0, -1))

    def _routing(self, outputs: Mapping[str, _Float32], task: str, snapshot: Snapshot) -> _Float32:
        """Expert weights [levels, experts]; without routers the experts are added up: ones."""
        if not self._form.routing:
            taking_part = _mask(snapshot.slots, snapshot)
            return np.repeat(taking_part, len(self._manifest.levels), axis=0)
        weights = np.zeros((len(self._manifest.levels), len(snapshot.experts)), np.float32)
        here = [snapshot.experts.index(name) for name in ("stem", *self._form.adapters)]
        for row, level in zip(weights, self._manifest.levels, strict=True):
            name = f"routing.{level}.{task}"
            row[here] = _shaped(outputs, name, (1, 1, len(here))).reshape(-1)
        return weights


def _having(manifest: Manifest, snapshot: Snapshot) -> Manifest:
    """The manifest of a student that has the snapshot's experts, in its order."""
    known = {adapter.name: adapter for adapter in manifest.adapters}
    adapters = tuple(
        known.get(name) or AdapterInfo(name=name, teacher="", hidden=1) for name in snapshot.slots
    )
    return manifest.model_copy(update={"adapters": adapters})


def _mask(adapters: tuple[str, ...], snapshot: Snapshot) -> _Float32:
    """[1, 1 + adapters]: the stem and the adapters in the snapshot are 1, the others 0."""
    return np.array([[1, *(name in snapshot.adapters for name in adapters)]], np.float32)


def _shaped(outputs: Mapping[str, _Float32], name: str, shape: tuple[int, ...]) -> _Float32:
    """An output, if it has the shape that the graph gives it: a third party's runtime may err."""
    found = outputs[name]
    if found.shape != shape:
        raise BackendError(
            f"the runtime does not compute {name} as the graph says",
            expected=str(list(shape)),
            got=str(list(found.shape)),
            remedy="Choose another backend",
        )
    return found
