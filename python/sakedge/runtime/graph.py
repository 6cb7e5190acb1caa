"""The graph model: the whole graph in a runtime's session, its maps decoded by us.

The graph is not the file's own but the one that is exported for stock runtimes, with the adapters
and tasks that are loaded, and ends at the maps at a quarter of the input's size: what follows,
resizing to the input and from there to the image, is one sampling in our own kernels, the same
behind every model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.decoder import Decoded, Mosaic, decode_map, thread_pool, upsample_map
from sakedge.format import Manifest, StudentFile
from sakedge.format.student.int8 import as_floats
from sakedge.images.fit import Normalizer, View
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.runtime.clock import Clock
from sakedge.runtime.compiled import CompiledGraph, Maps
from sakedge.runtime.engine import Engine, Wanted
from sakedge.runtime.parts import Tensors, checked_tensors
from sakedge.runtime.session import Compiler, Request, compiler_for, stem_of

_DOES = (
    "the whole graph in the backend, its maps decoded by us; exchanging an adapter compiles "
    "another graph while calls go on, and a call with some adapters masks the others"
)


class GraphCore:
    """A graph from the image to each task's map, compiled for each set of adapters.

    Adapters are constants of the graph, so exchanging one compiles another. Why they are not its
    inputs is in `docs/backends.md`. Parts that are stored as int8 stay so in the graph, unless
    `floats` are wanted.
    """

    stages = ("graph", "decoder")
    cannot: Mapping[Ability, str] = {
        "min_weight": "its graph computes every adapter, whatever its weight",
        "versions": "its graph holds one version of each adapter",
        "device_images": "it takes images on the host alone",
    }
    max_batch = 1

    def __init__(
        self, compiler: Compiler, manifest: Manifest, stem: Tensors, threads: int, floats: bool
    ) -> None:
        self._compiler = compiler
        self._manifest = manifest
        self._floats = floats
        self._stem = as_floats(stem) if floats else stem
        self._pool = thread_pool(threads)
        self._normalizer = Normalizer(manifest.preprocess)

    def prepare(self, source: PartSource) -> object:
        """Checks a part's tensors."""
        if source.base is not None:
            return {**cast(Tensors, source.base), **source.tensors()}
        tensors = checked_tensors(source, self._manifest)
        return as_floats(tensors) if self._floats else tensors

    def assemble(self, snapshot: Snapshot) -> object:
        """Compiles the graph with the snapshot's adapters."""
        return CompiledGraph(self._compiler, self._manifest, self._stem, snapshot)

    def session(self, snapshot: Snapshot) -> Mapping[str, str]:
        """The session that runs the snapshot."""
        return _graph(snapshot).details

    def batch(self, views: Sequence[View]) -> NDArray[np.float32]:
        """Normalises the views to float32 [batch, 3, H, W]."""
        return self._normalizer.batch(views)

    def infer(
        self,
        batch: NDArray[np.float32],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
    ) -> list[Decoded]:
        """Runs the graph of each snapshot on its image, one by one, and decodes its maps."""
        images = []
        for row, snapshot, window in zip(rows, snapshots, windows, strict=True):
            found = _graph(snapshot).run(batch[row : row + 1], snapshot)
            clock.lap("graph")
            images.append(self._decode(found, snapshot, window, wanted))
            clock.lap("decoder")
        return images

    def mosaic(self, grid: Grid, snapshot: Snapshot) -> Mosaic:
        """On our own threads."""
        return Mosaic(self._pool, grid, self._manifest.input_size, snapshot.tasks)

    def _decode(self, found: Maps, snapshot: Snapshot, window: Window, wanted: Wanted) -> Decoded:
        size, maps = self._manifest.input_size, found.maps
        values = {
            task.name: decode_map(self._pool, task, maps[task.name], size, window)
            for task in (snapshot.tasks if wanted.values else ())
        }
        logits = {
            task: upsample_map(self._pool, map_, size)
            for task, map_ in (maps.items() if wanted.logits else ())
        }
        finite = all(map(_is_finite, [*maps.values(), *found.routing.values()]))
        return Decoded(values, logits, maps if wanted.maps else {}, found.routing, finite)


def _graph(snapshot: Snapshot) -> CompiledGraph:
    return cast(CompiledGraph, snapshot.assembled)


def _is_finite(array: NDArray[np.float32]) -> bool:
    # Both pass NaN on, without an array of flags beside the map.
    return math.isfinite(array.min()) and math.isfinite(array.max())


def load(
    file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock
) -> Engine[NDArray[np.float32]]:
    """Reads the stem; laps `read`."""
    stem = file.component("stem")
    clock.lap("read")
    compiler, explanation = compiler_for(request, "graph", _DOES)
    floats = stem_of(request) != "int8"
    core = GraphCore(compiler, file.manifest, stem, request.threads, floats)
    # What is left to us, the decoding of maps, is always fp32.
    explanation = replace(explanation, decoder_precision="fp32")
    return Engine(file.manifest, request.options, core, explanation)
