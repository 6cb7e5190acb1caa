"""Pictures in, results out: preprocess, stem, decoder and tasks in a row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.base import Session
from sakedge.decoder import Decoded, Decoder, TaskOutput
from sakedge.errors import OptionError
from sakedge.format import Manifest
from sakedge.images.fit import Normalizer, letterbox, pad, place
from sakedge.images.read import Picture
from sakedge.images.tiling import Grid, Tile, blend
from sakedge.images.window import Window
from sakedge.result import Result, Routing
from sakedge.runtime.options import Options
from sakedge.tasks import TaskInfo, result_class, task_result
from sakedge.tasks.base import TaskResult


@dataclass(frozen=True)
class Call:
    """One call's wishes, checked.

    Attributes:
        tasks: The tasks wanted.
        adapters: Per image the adapters that take part.
        fit: `pad`, `letterbox` or `tile`.
        logits: Whether the heads' outputs are wanted too.
    """

    tasks: tuple[TaskInfo, ...]
    adapters: Sequence[tuple[str, ...]]
    fit: str
    logits: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(task.name for task in self.tasks)


class Clock:
    """Milliseconds by stage, from its making on."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._spent = dict.fromkeys(("preprocess", "stem", "decoder", "postprocess"), 0.0)

    def lap(self, stage: str) -> None:
        """Adds the time since the last lap to a stage."""
        now = time.perf_counter()
        self._spent[stage] += 1000 * (now - self._last)
        self._last = now

    def share(self, images: int) -> dict[str, float]:
        """One image's even share."""
        return {stage: spent / images for stage, spent in self._spent.items()}


class Engine:
    """A compiled stem and a decoder. Holds nothing of a call, so many threads may run it.

    Attributes:
        max_batch: Most images that run together.
    """

    def __init__(
        self, manifest: Manifest, session: Session, decoder: Decoder, options: Options
    ) -> None:
        self._manifest = manifest
        self._session = session
        self._decoder = decoder
        self._options = options
        self._normalize = Normalizer(manifest.preprocess)
        self.max_batch = options.max_batch

    def run(
        self,
        pictures: Sequence[Picture],
        adapters: Sequence[tuple[str, ...]],
        call: Call,
        clock: Clock,
    ) -> list[Result]:
        """Runs pictures: those that are one input each together, tiled ones one by one."""
        tiled = [call.fit == "tile" and self._is_larger(picture) for picture in pictures]
        whole = [i for i, is_tiled in enumerate(tiled) if not is_tiled]
        together = iter(
            self._run_whole([pictures[i] for i in whole], [adapters[i] for i in whole], call, clock)
            if whole
            else ()
        )
        return [
            self._run_tiled(pictures[i], adapters[i], call) if is_tiled else next(together)
            for i, is_tiled in enumerate(tiled)
        ]

    def infer(
        self,
        batch: NDArray[np.float32],
        windows: Sequence[Window],
        adapters: Sequence[tuple[str, ...]],
        call: Call,
        clock: Clock,
        decode: bool = True,
    ) -> Decoded:
        """The way through the model: normalised images [B, 3, H, W], the stem, the decoder.

        Without `decode` there are logits and nothing else.
        """
        features = self._session.run(batch)
        clock.lap("stem")
        decoded = self._decoder.run(
            features,
            tasks=call.names,
            adapters=adapters,
            windows=windows,
            logits=call.logits or not decode,
            decode=decode,
            min_weight=self._options.min_weight,
        )
        clock.lap("decoder")
        return decoded

    def _is_larger(self, picture: Picture) -> bool:
        return any(
            side > ours for side, ours in zip(picture.size, self._manifest.input_size, strict=True)
        )

    def _run_whole(
        self,
        pictures: Sequence[Picture],
        adapters: Sequence[tuple[str, ...]],
        call: Call,
        clock: Clock,
    ) -> list[Result]:
        fit = letterbox if call.fit == "letterbox" else pad
        views = [fit(picture, self._manifest.input_size, self._normalize) for picture in pictures]
        decoded = self._decode(views, adapters, call, clock)
        outputs = [
            {task.name: _task_result(task, image[task.name]) for task in call.tasks}
            for image in decoded.images
        ]
        clock.lap("postprocess")
        speed = clock.share(len(pictures))
        return [
            self._result(picture, names, outputs[i], decoded.routing[i], speed, call.fit)
            for i, (picture, names) in enumerate(zip(pictures, adapters, strict=True))
        ]

    def _run_tiled(self, picture: Picture, adapters: tuple[str, ...], call: Call) -> Result:
        if call.logits:
            raise OptionError(
                "there are no logits of a tiled image",
                expected="fit='pad' or 'letterbox' with logits=True",
                got="fit='tile' and an image larger than the student's input",
            )
        clock = Clock()
        grid = Grid.over(picture.size, self._manifest.input_size, self._options.tile_overlap)
        kinds = {task.name: result_class(task.kind) for task in call.tasks}
        routing: dict[str, Any] = dict.fromkeys(call.names, 0.0)

        def run(tiles: Sequence[Tile]) -> list[dict[str, NDArray[np.float32]]]:
            clock.lap("postprocess")
            pieces = [picture.pixels[tile.inside(grid)] for tile in tiles]
            views = [place(self._normalize(piece), self._manifest.input_size) for piece in pieces]
            decoded = self._decode(views, [adapters] * len(tiles), call, clock, decode=False)
            for weights in decoded.routing:
                for task in call.names:
                    routing[task] = routing[task] + weights[task] / len(grid)
            return [
                {task: _crop(image[task].logits, window) for task in call.names}
                for image, (_, window) in zip(decoded.images, views, strict=True)
            ]

        values = blend(
            grid,
            {task.name: task.classes for task in call.tasks},
            run,
            lambda task, logits: kinds[task].decode(logits),
            self.max_batch,
        )
        outputs = {task.name: kinds[task.name](task, values[task.name]) for task in call.tasks}
        clock.lap("postprocess")
        return self._result(picture, adapters, outputs, routing, clock.share(1), "tile")

    def _decode(
        self,
        views: Sequence[tuple[NDArray[np.float32], Window]],
        adapters: Sequence[tuple[str, ...]],
        call: Call,
        clock: Clock,
        decode: bool = True,
    ) -> Decoded:
        """Stacks the views of some images to a batch and runs it."""
        images = [image for image, _ in views]
        batch = images[0][np.newaxis] if len(images) == 1 else np.stack(images)
        clock.lap("preprocess")
        return self.infer(batch, [window for _, window in views], adapters, call, clock, decode)

    def _result(
        self,
        picture: Picture,
        adapters: tuple[str, ...],
        outputs: Mapping[str, TaskResult],
        routing: Mapping[str, NDArray[np.float32]],
        speed: Mapping[str, float],
        fit: str,
    ) -> Result:
        experts = ("stem", *self._manifest.adapter_names)
        return Result(
            outputs,
            picture.as_uint8(),
            picture.source,
            adapters,
            {task: Routing(routing[task], self._manifest.levels, experts) for task in outputs},
            speed,
            fit,
        )


def _task_result(task: TaskInfo, output: TaskOutput) -> TaskResult:
    assert output.values is not None
    return task_result(task, output.values, output.logits)


def _crop(logits: NDArray[np.float32] | None, window: Window) -> NDArray[np.float32]:
    """The part of logits [classes, H, W] that a window without scale covers."""
    assert logits is not None
    top, left = int(window.top), int(window.left)
    return logits[:, top : top + window.height, left : left + window.width]
