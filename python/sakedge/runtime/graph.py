"""The graph model: the whole graph in a runtime's session, its maps decoded by us.

The graph ends at the maps at a quarter of the input's size: what follows, resizing to the input and
from there to the image, is one sampling in our own kernels, the same behind every model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.backends.base import Session
from sakedge.decoder import Decoded, Mosaic, decode_map, thread_pool, upsample_map
from sakedge.errors import AbilityError, BackendError
from sakedge.format import Manifest, StudentFile
from sakedge.format.student.cuts import whole_cut
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.runtime.clock import Clock
from sakedge.runtime.engine import Engine, Wanted
from sakedge.runtime.session import Request, open_session

_DOES = "the whole graph in the backend, its maps decoded by us"
_Float32 = NDArray[np.float32]


class GraphCore:
    """A compiled graph from the image to each task's map."""

    stages = ("graph", "decoder")
    cannot: Mapping[Ability, str] = {
        "exchange": "the weights of all parts are compiled into its graph",
        "subset": "its graph runs every adapter of the student",
        "min_weight": "its graph runs every adapter of the student",
    }

    def __init__(
        self, session: Session, manifest: Manifest, tasks: Sequence[str], threads: int
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._levels = manifest.levels if manifest.architecture.is_routed else ()
        self._experts = 1 + len(manifest.adapters)
        self._rows = len(manifest.levels)
        self._size = manifest.input_size
        self._outputs = whole_cut(manifest, tasks).outputs
        self._pool = thread_pool(threads)

    def prepare(self, source: PartSource) -> object:
        """Nothing: the part is in the graph already."""
        return None

    def infer(
        self,
        batch: _Float32,
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
    ) -> list[Decoded]:
        """Runs the graph on all images and decodes the tasks of each one's snapshot."""
        outputs = self._session.run(batch)
        self._check(outputs, len(batch))
        clock.lap("graph")
        images = [
            self._decode(outputs, i, snapshot, windows[i], wanted)
            for i, snapshot in enumerate(snapshots)
        ]
        clock.lap("decoder")
        return images

    def mosaic(self, grid: Grid, snapshot: Snapshot) -> Mosaic:
        """On our own threads."""
        return Mosaic(self._pool, grid, self._size, snapshot.tasks)

    def _check(self, outputs: Sequence[_Float32], images: int) -> None:
        """A file's operators may compute other shapes than it states."""
        for output, (name, shape) in zip(outputs, self._outputs.items(), strict=True):
            if output.shape != (images, *shape):
                raise BackendError(
                    f"the graph does not compute {name} as the student states it",
                    expected=str([images, *shape]),
                    got=str(list(output.shape)),
                    remedy="Convert the student again",
                )

    def _decode(
        self,
        outputs: Sequence[_Float32],
        image: int,
        snapshot: Snapshot,
        window: Window,
        wanted: Wanted,
    ) -> Decoded:
        maps = {
            task.name: np.ascontiguousarray(
                np.moveaxis(outputs[self._tasks.index(task.name)][image], 0, -1)
            )
            for task in snapshot.tasks
        }
        values = {
            task.name: decode_map(self._pool, task, maps[task.name], self._size, window)
            for task in (snapshot.tasks if wanted.values else ())
        }
        logits = {
            task: upsample_map(self._pool, map_, self._size)
            for task, map_ in (maps.items() if wanted.logits else ())
        }
        routing = {task.name: self._routing(outputs, image, task.name) for task in snapshot.tasks}
        finite = all(map(_is_finite, [*maps.values(), *routing.values()]))
        return Decoded(values, logits, maps if wanted.maps else {}, routing, finite)

    def _routing(self, outputs: Sequence[_Float32], image: int, task: str) -> _Float32:
        """Expert weights [levels, experts]; ones where the experts are added up."""
        first = len(self._tasks) + self._tasks.index(task)
        weights = [
            outputs[first + i * len(self._tasks)][image].reshape(-1)
            for i in range(len(self._levels))
        ]
        if not weights:
            return np.ones((self._rows, self._experts), np.float32)
        return np.stack(weights)


def _is_finite(array: _Float32) -> bool:
    # Both pass NaN on, without an array of flags beside the map.
    return math.isfinite(array.min()) and math.isfinite(array.max())


def load(file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock) -> Engine:
    """Compiles the whole graph; laps `read` and `compile`.

    Raises:
        AbilityError: `min_weight` is asked for, which leaves adapters out.
    """
    if request.options.min_weight > 0:
        raise AbilityError(
            f"the graph model has no min_weight: {GraphCore.cannot['min_weight']}",
            expected="min_weight 0",
            got=str(request.options.min_weight),
        )
    graph = file.whole(tasks)
    clock.lap("read")
    session, explanation = open_session(graph, request, "graph", _DOES)
    clock.lap("compile")
    core = GraphCore(session, file.manifest, tasks, request.threads)
    # What is left to us, the decoding of maps, is always fp32.
    explanation = replace(explanation, decoder_precision="fp32")
    return Engine(file.manifest, request.options, core, explanation)
