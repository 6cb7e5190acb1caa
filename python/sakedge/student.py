"""The student that `load` returns: its calls, its streams, its adapters, its life."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.slots import AdapterSlots, Names
from sakedge.arguments import pick
from sakedge.decoder import TaskOutput
from sakedge.errors import ClosedError, OptionError, UnknownAdapterError, UnknownTaskError
from sakedge.format import Manifest
from sakedge.images.fit import check_fit
from sakedge.images.read import Color, ImageLike, Picture, is_one_image, read
from sakedge.images.window import Window
from sakedge.result import Result
from sakedge.runtime.engine import Call, Clock, Engine
from sakedge.runtime.explain import Explanation
from sakedge.runtime.forks import ForkGuard
from sakedge.sources import OnError, Stream, open_source
from sakedge.sources.opening import SourceLike


@dataclass(frozen=True)
class Inference:
    """What `Student.infer` returns.

    Attributes:
        images: For each image, the outputs by task.
        speed: Milliseconds of the whole batch by stage: `stem`, `decoder`.
    """

    images: list[dict[str, TaskOutput]]
    speed: Mapping[str, float]


@dataclass(frozen=True)
class Origin:
    """Where a student came from, so that it can be loaded again in another process.

    Attributes:
        restore: Called with arguments, digest and the changes to the adapters.
        arguments: What `load` was given.
        digest: File digest then.
    """

    restore: Callable[..., Student]
    arguments: Mapping[str, Any]
    digest: str


class Student:
    """A loaded student. Made by `sakedge.load`; safe to call from many threads.

    Attributes:
        manifest: What the student's file says about itself.
        tasks: Names of the loaded tasks.
        adapters: The loaded adapters, to look at and to exchange.
    """

    def __init__(
        self,
        manifest: Manifest,
        engine: Engine,
        adapters: AdapterSlots,
        *,
        tasks: tuple[str, ...],
        explanation: Explanation,
        origin: Origin,
    ) -> None:
        self.manifest = manifest
        self.tasks = tasks
        self.adapters = adapters
        self._engine: Engine | None = engine
        self._guard = ForkGuard(engine)
        self._explanation = explanation
        self._origin = origin
        self._infos = {task.name: task for task in manifest.tasks}

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the stem's input in pixels."""
        return self.manifest.input_size

    @overload  # a path is a sequence too, of strings, but the first signature takes it
    def __call__(  # type: ignore[overload-overlap]
        self,
        image: ImageLike,
        adapters: Names | Sequence[Names] = None,
        tasks: Names = None,
        fit: str | None = None,
        color: Color = "rgb",
        logits: bool = False,
    ) -> Result: ...

    @overload
    def __call__(
        self,
        image: Sequence[ImageLike],
        adapters: Names | Sequence[Names] = None,
        tasks: Names = None,
        fit: str | None = None,
        color: Color = "rgb",
        logits: bool = False,
    ) -> list[Result]: ...

    def __call__(
        self,
        image: ImageLike | Sequence[ImageLike],
        adapters: Names | Sequence[Names] = None,
        tasks: Names = None,
        fit: str | None = None,
        color: Color = "rgb",
        logits: bool = False,
    ) -> Result | list[Result]:
        """Runs the student on an image, or on a list of images of any sizes.

        Args:
            image: A path, an RGB array, a PIL image, or a list of those; see `sakedge.images.read`.
            adapters: Narrows the loaded adapters for this call; `[]` is the stem alone. For a
                list of images also one such choice per image.
            tasks: Narrows the loaded tasks for this call.
            fit: What is done with an image of another size than the student's: `pad` (with
                zeros; a larger image is refused), `letterbox` (resized) or `tile` (cut into
                overlapping tiles). By default what the student's file says.
            color: Channel order of arrays: `rgb`, or `bgr` for OpenCV's.
            logits: Also keep the heads' outputs at the student's input size.

        Returns:
            One result, or a list of results for a list of images.

        Raises:
            ImageError: An image cannot be used.
            StorageError: A file cannot be opened.
            UnknownAdapterError, UnknownTaskError, OptionError: An argument is wrong.
            ForkError: The student was loaded before this process was forked.
            ClosedError: The student was closed.
        """
        engine = self._running()
        single = is_one_image(image) or not isinstance(image, Sequence)
        images: Sequence[Any] = [image] if single else image  # type: ignore[assignment]
        while True:
            call = self._check(len(images), adapters, tasks, fit, logits)
            try:
                results = _run(engine, images, call, color)
            except UnknownAdapterError:
                # With None, one that was there when the call began has just been removed.
                if adapters is not None:
                    raise
            else:
                return results[0] if single else results

    def infer(self, inputs: NDArray[np.float32], *, logits: bool = False) -> Inference:
        """Runs the student on inputs that were made ready elsewhere, as a stock runtime takes them.

        Args:
            inputs: Normalised images, float32 [batch, 3, H, W] at the student's input size.
            logits: Return the heads' outputs at the input size, as a stock runtime gives them,
                instead of what they are decoded to.

        Raises:
            BackendError: The inputs have another shape or type.
            ForkError, ClosedError: As for a call.
        """
        engine = self._running()
        call = self._check(len(inputs), None, None, None, logits)
        windows = [Window(*self.input_size)] * len(inputs)
        clock = Clock()
        images: list[dict[str, TaskOutput]] = []
        for start in range(0, len(inputs), engine.max_batch):
            part = slice(start, start + engine.max_batch)
            images += engine.infer(
                inputs[part], windows[part], call.adapters[part], call, clock, decode=not logits
            ).images
        speed = clock.share(1)
        return Inference(images, {stage: speed[stage] for stage in ("stem", "decoder")})

    def stream(
        self,
        source: SourceLike,
        *,
        batch: int = 1,
        on_error: OnError = "warn",
        adapters: Names = None,
        tasks: Names = None,
        fit: str | None = None,
        logits: bool = False,
    ) -> Stream[Result]:
        """Runs the student on every image of a folder, glob, video, camera or network stream.

        A frame that cannot be read or used is reported and left out; the stream goes on. Its
        `errors` and `error_count` tell. Of a live source only the newest frame is taken.

        Args:
            source: A folder, glob, image, video file, URL such as `rtsp://…`, camera index, or a
                list of images.
            batch: Frames per run.
            on_error: `warn` logs a bad frame, `raise` ends the stream with it, and a callable is
                given it as a `FrameError`.
            adapters: As for a call.
            tasks: As for a call.
            fit: As for a call.
            logits: As for a call.

        Raises:
            SourceError: The source cannot be opened or has nothing in it.
            UnknownAdapterError, UnknownTaskError, OptionError: An argument is wrong.
        """
        self._running()
        self._check(1, adapters, tasks, fit, logits)

        def run(pictures: list[Picture]) -> list[Result]:
            return self(pictures, adapters=adapters, tasks=tasks, fit=fit, logits=logits)

        return Stream(open_source(source), run, batch, on_error)

    def explain(self) -> Explanation:
        """What runs where, what was refused, and why; `print` it or take its fields."""
        return self.adapters.explain(self._explanation)

    def close(self) -> None:
        """Lets go of the runtime and of the weights. Calls under way end well."""
        self._engine = None
        self.adapters.close()

    def __enter__(self) -> Student:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        height, width = self.input_size
        return f"Student({self._explanation.path}, {height}x{width}, {', '.join(self.tasks)})"

    def __reduce__(self) -> tuple[Callable[..., Student], tuple[object, ...]]:
        """A pickled student is its configuration: it is loaded again where it is unpickled."""
        origin = self._origin
        return origin.restore, (dict(origin.arguments), origin.digest, self.adapters.changes)

    def _running(self) -> Engine:
        self._guard.check()
        if self._engine is None:
            raise ClosedError("the student is closed", remedy="Load it again")
        return self._engine

    def _check(
        self,
        count: int,
        adapters: Names | Sequence[Names],
        tasks: Names,
        fit: str | None,
        logits: bool,
    ) -> Call:
        names = pick("task", tasks, self.tasks, UnknownTaskError)
        if not names:
            raise OptionError("no task was asked for", expected=f"some of {', '.join(self.tasks)}")
        return Call(
            tuple(self._infos[name] for name in names),
            self.adapters.choose(adapters, count),
            check_fit(fit or self.manifest.preprocess.fit),
            logits,
        )


def _run(engine: Engine, images: Sequence[Any], call: Call, color: Color) -> list[Result]:
    """Reads and runs as many images at a time as fit into one run of the stem."""
    results: list[Result] = []
    for start in range(0, len(images), engine.max_batch):
        part = slice(start, start + engine.max_batch)
        clock = Clock()
        pictures = [read(image, color) for image in images[part]]
        results += engine.run(pictures, call.adapters[part], call, clock)
    return results
