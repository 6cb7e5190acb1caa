"""Models around a core: pictures are fitted and tiled for it, and its outputs put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.decoder import Decoded, Mosaic
from sakedge.errors import NumericError, OptionError
from sakedge.format import Manifest
from sakedge.images import Picture
from sakedge.images.fit import View, letterbox, pad, place
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.runtime.clock import Clock
from sakedge.runtime.exits import native
from sakedge.runtime.explain import ModelExplanation
from sakedge.runtime.model import Call, Outcome, TaskOutput
from sakedge.runtime.options import Options

Batch = TypeVar("Batch")
"""What a core makes of some views to run them."""


@dataclass(frozen=True)
class Wanted:
    """What a core returns for each image; see `Decoded`."""

    values: bool = True
    logits: bool = False
    maps: bool = False


class Core(Protocol[Batch]):
    """The core of a model: from pixels on its input, or normalised inputs, to decoded outputs.

    Attributes:
        cannot: As a model's.
        max_batch: Images in one run that suit it, where no number is given.
    """

    cannot: Mapping[Ability, str]
    max_batch: int

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that `infer` laps, in order."""
        ...

    def prepare(self, source: PartSource) -> object:
        """As a model's."""
        ...

    def assemble(self, snapshot: Snapshot) -> object:
        """As a model's."""
        ...

    def session(self, snapshot: Snapshot) -> Mapping[str, str]:
        """What the runtime reports about the graph that runs a snapshot."""
        ...

    def batch(self, views: Sequence[View]) -> Batch:
        """Makes of pixels what `infer` takes."""
        ...

    def infer(
        self,
        batch: Batch | NDArray[np.float32],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
    ) -> list[Decoded]:
        """Runs snapshots, each on the image in its row of the batch.

        The batch is of views, or normalised inputs [batch, 3, H, W].
        """
        ...

    def mosaic(self, grid: Grid, snapshot: Snapshot) -> Mosaic:
        """Assembles what `infer` returns for a large picture's tiles."""
        ...


class Engine(Generic[Batch]):
    """A model around a core. Holds no state of a call."""

    def __init__(
        self, manifest: Manifest, options: Options, core: Core[Batch], explanation: ModelExplanation
    ) -> None:
        self._size = manifest.input_size
        self._options = options
        self._core = core
        self._explanation = explanation
        self.cannot = core.cannot
        self.max_batch = options.max_batch or core.max_batch

    def prepare(self, source: PartSource) -> object:
        """Prepares a part to run."""
        with native():
            return self._core.prepare(source)

    def assemble(self, snapshot: Snapshot) -> object:
        """Makes what needs all parts of a snapshot together."""
        with native():
            return self._core.assemble(snapshot)

    def explain(self, snapshot: Snapshot) -> ModelExplanation:
        """What runs a snapshot where, and why."""
        return replace(self._explanation, session=self._core.session(snapshot))

    def run(self, call: Call) -> list[Outcome]:
        """Runs a call: pictures that are one input each in batches, tiled ones one by one.

        A picture that is there several times, with several snapshots, is fitted once, and the stem
        runs on it once.
        """
        outcomes: dict[int, Outcome] = {}
        whole = []
        for runs in _by_picture(call.pictures):
            if call.fit == "tile" and self._is_larger(call.pictures[runs[0]]):
                outcomes |= zip(runs, self._run_tiled(call, runs), strict=True)
            else:
                whole.append(runs)
        for start in range(0, len(whole), self.max_batch):
            some = whole[start : start + self.max_batch]
            outcomes |= zip(chain(*some), self._run_whole(call, some), strict=True)
        return [outcomes[i] for i in range(len(call.pictures))]

    def infer(
        self, inputs: NDArray[np.float32], snapshots: Sequence[Snapshot], *, logits: bool
    ) -> list[Outcome]:
        """Runs inputs that were prepared elsewhere, to values or else to logits."""
        outcomes: list[Outcome] = []
        for start in range(0, len(inputs), self.max_batch):
            part = slice(start, start + self.max_batch)
            clock = Clock(*self._core.stages)
            batch, some = inputs[part], snapshots[part]
            windows = [Window(*self._size)] * len(batch)
            wanted = Wanted(values=not logits, logits=logits)
            names = [f"input {i}" for i in range(start, start + len(batch))]
            decoded = self._infer(batch, range(len(batch)), some, windows, wanted, clock, names)
            speed = clock.share(len(batch))
            outcomes += [_outcome(d, s, speed) for d, s in zip(decoded, some, strict=True)]
        return outcomes

    def _is_larger(self, picture: Picture) -> bool:
        return any(side > ours for side, ours in zip(picture.size, self._size, strict=True))

    def _clock(self) -> Clock:
        return Clock("preprocess", *self._core.stages, "postprocess")

    def _run_whole(self, call: Call, some: Sequence[Sequence[int]]) -> list[Outcome]:
        """Runs some pictures, each of which stands for some runs of the call."""
        clock = self._clock()
        fit = letterbox if call.fit == "letterbox" else pad
        views = [fit(call.pictures[runs[0]], self._size) for runs in some]
        rows = [row for row, runs in enumerate(some) for _ in runs]
        snapshots = [call.snapshots[i] for runs in some for i in runs]
        names = [_name(call.pictures[i]) for runs in some for i in runs]
        wanted = Wanted(logits=call.logits)
        decoded = self._infer_views(views, rows, snapshots, wanted, clock, names)
        clock.lap("postprocess")
        speed = clock.share(len(snapshots))
        return [_outcome(d, s, speed) for d, s in zip(decoded, snapshots, strict=True)]

    def _run_tiled(self, call: Call, runs: Sequence[int]) -> list[Outcome]:
        if call.logits:
            raise OptionError(
                "there are no logits of a tiled image",
                expected="fit='pad' or 'letterbox' with logits=True",
                got="fit='tile' and an image larger than the student's input",
            )
        picture, snapshots = call.pictures[runs[0]], [call.snapshots[i] for i in runs]
        clock = self._clock()
        grid = Grid.over(picture.size, self._size, self._options.tile_overlap)
        mosaics = [self._core.mosaic(grid, snapshot) for snapshot in snapshots]
        names = [_name(picture)] * len(runs)
        maps_only = Wanted(values=False, maps=True)
        routing: list[list[Mapping[str, NDArray[np.float32]]]] = []  # by tile and run
        for row in range(len(grid.rows.starts)):
            tiles = []
            clock.lap("postprocess")
            for tile in grid.row(row):
                done = len(routing)
                call.progress(f"{names[0]}, tile {done + 1} of {len(grid)}", done / len(grid))
                view = place(picture.host_pixels[tile.inside(grid)], self._size)
                decoded = self._infer_views(
                    [view], [0] * len(runs), snapshots, maps_only, clock, names
                )
                routing.append([each.routing for each in decoded])
                tiles.append([each.maps for each in decoded])
            with native():
                for mosaic, maps in zip(mosaics, zip(*tiles, strict=True), strict=True):
                    mosaic.add_row(row, list(maps))
        clock.lap("postprocess")
        speed = clock.share(len(runs))
        return [
            Outcome(
                {task: TaskOutput(values) for task, values in mosaic.values.items()},
                {task: _mean([tile[i][task] for tile in routing]) for task in snapshot.heads},
                snapshot,
                speed,
            )
            for i, (mosaic, snapshot) in enumerate(zip(mosaics, snapshots, strict=True))
        ]

    def _infer_views(
        self,
        views: Sequence[View],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        wanted: Wanted,
        clock: Clock,
        names: Sequence[str],
    ) -> list[Decoded]:
        """Makes a batch of some views and runs it."""
        batch = self._core.batch(views)
        clock.lap("preprocess")
        windows = [views[row].window for row in rows]
        return self._infer(batch, rows, snapshots, windows, wanted, clock, names)

    def _infer(
        self,
        batch: Batch | NDArray[np.float32],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
        names: Sequence[str],
    ) -> list[Decoded]:
        """Runs the core and refuses results that are not numbers."""
        with native():
            decoded = self._core.infer(batch, rows, snapshots, windows, wanted, clock)
        for image, name in zip(decoded, names, strict=True):
            if not image.finite:
                raise NumericError(
                    f"{name} could not be computed: numbers overflowed",
                    expected="finite outputs",
                    got="NaN, infinity, or numbers near it",
                    remedy="Load the student with precision='fp32'; if that fails too, its "
                    "weights are to blame",
                )
        return decoded


def _by_picture(pictures: Sequence[Picture]) -> list[list[int]]:
    """The numbers of the runs of each picture."""
    found: dict[int, list[int]] = {}
    for i, picture in enumerate(pictures):
        found.setdefault(id(picture), []).append(i)
    return list(found.values())


def _name(picture: Picture) -> str:
    return picture.source or "the image"


def _outcome(decoded: Decoded, snapshot: Snapshot, speed: dict[str, float]) -> Outcome:
    outputs = {
        task: TaskOutput(decoded.values.get(task), decoded.logits.get(task))
        for task in snapshot.heads
    }
    return Outcome(outputs, decoded.routing, snapshot, speed)


def _mean(weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.asarray(np.mean(weights, axis=0, dtype=np.float64), np.float32)
