"""Models whose core takes normalised inputs: pictures are fitted, tiled and decoded around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.decoder import Decoded, Mosaic
from sakedge.errors import NumericError, OptionError
from sakedge.format import Manifest
from sakedge.images import Picture
from sakedge.images.fit import Normalizer, letterbox, pad, place
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.runtime.clock import Clock
from sakedge.runtime.exits import native
from sakedge.runtime.explain import ModelExplanation
from sakedge.runtime.model import Call, Outcome, TaskOutput
from sakedge.runtime.options import Options

View = tuple[NDArray[np.float32], Window]
"""A normalised input [3, H, W], and where the picture lies on it."""


@dataclass(frozen=True)
class Wanted:
    """What a core returns for each image; see `Decoded`."""

    values: bool = True
    logits: bool = False
    maps: bool = False


class Core(Protocol):
    """The core of a model: from normalised inputs to decoded outputs.

    Attributes:
        cannot: As a model's.
    """

    cannot: Mapping[Ability, str]

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

    def infer(
        self,
        batch: NDArray[np.float32],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
    ) -> list[Decoded]:
        """Runs normalised images [batch, 3, H, W], each on its snapshot."""
        ...

    def mosaic(self, grid: Grid, snapshot: Snapshot) -> Mosaic:
        """Assembles what `infer` returns for a large picture's tiles."""
        ...


class Engine:
    """A model around a core. Holds no state of a call."""

    def __init__(
        self, manifest: Manifest, options: Options, core: Core, explanation: ModelExplanation
    ) -> None:
        self._size = manifest.input_size
        self._options = options
        self._core = core
        self._explanation = explanation
        self._normalize = Normalizer(manifest.preprocess)
        self.cannot = core.cannot

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
        """Runs a call: pictures that are one input each in batches, tiled ones one by one."""
        tiled = [call.fit == "tile" and self._is_larger(picture) for picture in call.pictures]
        whole = [i for i, is_tiled in enumerate(tiled) if not is_tiled]
        outcomes = {i: self._run_tiled(call, i) for i, is_tiled in enumerate(tiled) if is_tiled}
        for start in range(0, len(whole), self._options.max_batch):
            some = whole[start : start + self._options.max_batch]
            outcomes |= zip(some, self._run_whole(call, some), strict=True)
        return [outcomes[i] for i in range(len(tiled))]

    def infer(
        self, inputs: NDArray[np.float32], snapshots: Sequence[Snapshot], *, logits: bool
    ) -> list[Outcome]:
        """Runs inputs that were prepared elsewhere, to values or else to logits."""
        outcomes: list[Outcome] = []
        for start in range(0, len(inputs), self._options.max_batch):
            part = slice(start, start + self._options.max_batch)
            clock = Clock(*self._core.stages)
            batch, some = inputs[part], snapshots[part]
            windows = [Window(*self._size)] * len(batch)
            wanted = Wanted(values=not logits, logits=logits)
            names = [f"input {i}" for i in range(start, start + len(batch))]
            decoded = self._infer(batch, some, windows, wanted, clock, names)
            speed = clock.share(len(batch))
            outcomes += [_outcome(d, s, speed) for d, s in zip(decoded, some, strict=True)]
        return outcomes

    def _is_larger(self, picture: Picture) -> bool:
        return any(side > ours for side, ours in zip(picture.size, self._size, strict=True))

    def _clock(self) -> Clock:
        return Clock("preprocess", *self._core.stages, "postprocess")

    def _run_whole(self, call: Call, some: Sequence[int]) -> list[Outcome]:
        clock = self._clock()
        fit = letterbox if call.fit == "letterbox" else pad
        views = [fit(call.pictures[i], self._size, self._normalize) for i in some]
        snapshots = [call.snapshots[i] for i in some]
        names = [_name(call.pictures[i]) for i in some]
        decoded = self._infer_views(views, snapshots, Wanted(logits=call.logits), clock, names)
        clock.lap("postprocess")
        speed = clock.share(len(some))
        return [_outcome(d, s, speed) for d, s in zip(decoded, snapshots, strict=True)]

    def _run_tiled(self, call: Call, index: int) -> Outcome:
        if call.logits:
            raise OptionError(
                "there are no logits of a tiled image",
                expected="fit='pad' or 'letterbox' with logits=True",
                got="fit='tile' and an image larger than the student's input",
            )
        picture, snapshot = call.pictures[index], call.snapshots[index]
        clock = self._clock()
        grid = Grid.over(picture.size, self._size, self._options.tile_overlap)
        mosaic = self._core.mosaic(grid, snapshot)
        name = _name(picture)
        maps_only = Wanted(values=False, maps=True)
        tiles: list[Decoded] = []
        for row in range(len(grid.rows.starts)):
            maps = []
            clock.lap("postprocess")
            for tile in grid.row(row):
                call.progress(
                    f"{name}, tile {len(tiles) + 1} of {len(grid)}", len(tiles) / len(grid)
                )
                view = place(self._normalize(picture.pixels[tile.inside(grid)]), self._size)
                (decoded,) = self._infer_views([view], [snapshot], maps_only, clock, [name])
                tiles.append(Decoded({}, {}, {}, decoded.routing))
                maps.append(decoded.maps)
            with native():
                mosaic.add_row(row, maps)
        clock.lap("postprocess")
        routing = {task: _mean([t.routing[task] for t in tiles]) for task in snapshot.heads}
        outputs = {task: TaskOutput(values) for task, values in mosaic.values.items()}
        return Outcome(outputs, routing, snapshot, clock.share())

    def _infer_views(
        self,
        views: Sequence[View],
        snapshots: Sequence[Snapshot],
        wanted: Wanted,
        clock: Clock,
        names: Sequence[str],
    ) -> list[Decoded]:
        """Stacks the views of some images to a batch and runs it."""
        images = [image for image, _ in views]
        batch = images[0][np.newaxis] if len(images) == 1 else np.stack(images)
        clock.lap("preprocess")
        windows = [window for _, window in views]
        return self._infer(batch, snapshots, windows, wanted, clock, names)

    def _infer(
        self,
        batch: NDArray[np.float32],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
        names: Sequence[str],
    ) -> list[Decoded]:
        """Runs the core and refuses results that are not numbers."""
        with native():
            decoded = self._core.infer(batch, snapshots, windows, wanted, clock)
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
