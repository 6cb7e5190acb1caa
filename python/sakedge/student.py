"""The student that `load` returns: its calls, its streams, its adapters, its lifetime."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import require
from sakedge.adapters.slots import AdapterSlots
from sakedge.adapters.snapshot import Snapshot
from sakedge.adapters.state import Names
from sakedge.arguments import flag, pick
from sakedge.canary.trials import CanaryTrials
from sakedge.errors import (
    AbilityError,
    ClosedError,
    OptionError,
    SakedgeError,
    UnknownTaskError,
    shown,
)
from sakedge.format import Manifest
from sakedge.images import Color, ImageLike, Picture, is_one_image, read
from sakedge.images.fit import check_fit
from sakedge.progress import Progress
from sakedge.result import Result
from sakedge.runtime.calls import BegunCall, runs_of
from sakedge.runtime.explain import Explanation
from sakedge.runtime.explaining import explained
from sakedge.runtime.forks import ForkGuard
from sakedge.runtime.inputs import check_inputs
from sakedge.runtime.model import Inference, InputModel, Model, silent
from sakedge.runtime.options import Options
from sakedge.runtime.origin import Origin
from sakedge.runtime.quality import Quality
from sakedge.site import Site
from sakedge.sources import OnError, Reconnect, SourceLike, Stream, open_source

if TYPE_CHECKING:
    from sakedge.adapters.following import Following
    from sakedge.canary.watching import Watching
    from sakedge.store import Store


class Student:
    """A loaded student. Made by `sakedge.load`; safe to call from many threads.

    Attributes:
        manifest: The manifest of the student's file.
        tasks: Names of the loaded tasks.
        adapters: The loaded adapters, to inspect and to exchange.
    """

    def __init__(
        self,
        manifest: Manifest,
        model: Model,
        snapshot: Snapshot,
        origin: Origin,
        options: Options,
        quality: Quality,
        site: Site,
    ) -> None:
        self.manifest = manifest
        self._site = site
        self._trials = CanaryTrials(self._run_each, manifest, site)
        self.tasks = tuple(snapshot.heads)
        self.adapters = AdapterSlots(
            manifest, self._running, snapshot, quality.admit, origin.adapter, self._trials, site
        )
        self._model: Model | None = model
        self._guard = ForkGuard(model)
        self._origin = origin
        self._options = options
        self._quality = quality

    @property
    def watching(self) -> Watching | None:
        """The last watch over an exchange, see `adapters.swap(watch=…)`; None if there was none."""
        return self._trials.watching

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
        progress: Progress | None = None,
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
        progress: Progress | None = None,
    ) -> list[Result]: ...

    def __call__(
        self,
        image: ImageLike | Sequence[ImageLike],
        adapters: Names | Sequence[Names] = None,
        tasks: Names = None,
        fit: str | None = None,
        color: Color = "rgb",
        logits: bool = False,
        progress: Progress | None = None,
    ) -> Result | list[Result]:
        """Runs the student on an image, or on a list of images of any sizes.

        All images, and all tiles of an image, are run with the adapters that are active when the
        call begins, whatever is exchanged meanwhile; a result's `digests` name them.

        Args:
            image: A path, an RGB array, a PIL image, or a list of those; see `sakedge.images.read`.
            adapters: Narrows the loaded adapters for this call; `[]` is the stem alone. For a
                list of images also one such choice per image; an image that is there several times
                in a row, with several choices, is read once, and the stem runs on it once.
            tasks: Narrows the loaded tasks for this call.
            fit: What is done with an image of another size than the student's: `pad` (with
                zeros; a larger image is refused), `letterbox` (resized) or `tile` (cut into
                overlapping tiles). By default what the student's file says.
            color: Channel order of arrays: `rgb`, or `bgr` for OpenCV's.
            logits: Also keep the heads' outputs at the student's input size.
            progress: Called with the progress of a tiled image.

        Returns:
            One result, or a list of results for a list of images.

        Raises:
            ImageError: An image cannot be used.
            NumericError: Numbers overflowed while it was computed.
            StorageError: A file cannot be opened.
            UnknownAdapterError, UnknownTaskError, OptionError: An argument is wrong.
            BackendError: The runtime failed.
            UnverifiedError: The file records no quality of what would run, and that is refused.
            ForkError: The student was loaded before this process was forked.
            ClosedError: The student was closed.
        """
        single = is_one_image(image) or not isinstance(image, Sequence)
        images: Sequence[Any] = [image] if single else image  # type: ignore[assignment]
        begun = self._begin(len(images), adapters, tasks, fit, logits, progress)
        results: list[Result] = []
        for runs in runs_of(images, begun.model.max_batch):
            read = [self._read(images[same[0]], begun.fit, color) for same in runs]
            pictures = [picture for picture, same in zip(read, runs, strict=True) for _ in same]
            results += begun.run(pictures, runs[0][0])
        return results[0] if single else results

    def infer(self, inputs: NDArray[np.float32], *, logits: bool = False) -> Inference:
        """Runs the student on inputs that were prepared elsewhere, as for a stock runtime.

        Args:
            inputs: Normalised images, float32 [batch, 3, H, W] at the student's input size.
            logits: Return the heads' outputs at the input size, as a stock runtime gives them,
                instead of decoded values.

        Raises:
            BackendError: The inputs have another shape or type.
            ImageError: The inputs hold NaN or infinity.
            NumericError: Numbers overflowed.
            AbilityError: The student's model takes images only.
            ForkError, ClosedError: As for a call.
        """
        model = self._running()
        if not isinstance(model, InputModel):
            problem = "the model that runs this student takes images only"
            raise AbilityError(
                problem, remedy="Call the student, or load it with model host or graph"
            )
        inputs = check_inputs(inputs, self.input_size)
        snapshots = self.adapters.choose(None, len(inputs), self.tasks)
        outcomes = model.infer(inputs, snapshots, logits=flag("logits", logits))
        speed: dict[str, float] = {}
        for outcome in outcomes:
            for stage, ms in outcome.speed.items():
                speed[stage] = speed.get(stage, 0.0) + ms
        return Inference([outcome.outputs for outcome in outcomes], speed)

    def stream(
        self,
        source: SourceLike,
        *,
        batch: int = 1,
        on_error: OnError = "warn",
        reconnect: Reconnect | None = None,
        adapters: Names = None,
        tasks: Names = None,
        fit: str | None = None,
        logits: bool = False,
        progress: Progress | None = None,
        on_wait: Callable[[], object] | None = None,
    ) -> Stream[Result]:
        """Runs the student on every image of a folder, glob, video, camera or network stream.

        A frame that cannot be read or used is reported and skipped; see the stream's `errors` and
        `error_count`. From a live source only the newest frame is taken.

        Args:
            source: A folder, a glob, an image, a video file, a URL such as `rtsp://…`, a camera by
                index or device, or a list or iterator of images. What a file is, its content
                says.
            batch: Frames per call: they are collected first and run with the same adapters.
            on_error: `warn` logs a bad frame, `raise` ends the stream with it, and a callable
                receives it as a `FrameError`.
            reconnect: When a camera or network stream that does not answer, from the start or
                later, is tried again; by default as `Reconnect()` says.
            adapters: As for a call.
            tasks: As for a call.
            fit: As for a call.
            logits: As for a call.
            progress: As for a call.
            on_wait: Called about twice a second by the loop that waits for a frame, as long as the
                camera or stream gives signs of life: a service tells its watchdog by it.

        Raises:
            SourceError: The source cannot be opened, has nothing in it, or is none.
            UnknownAdapterError, UnknownTaskError, OptionError: An argument is wrong.
        """
        begun = self._begin(1, adapters, tasks, fit, logits, progress)

        def run(pictures: list[Picture]) -> list[Result | SakedgeError]:
            begun = self._begin(len(pictures), adapters, tasks, fit, logits, progress)
            return [*begun.run_each(pictures)]

        reader = partial(self._read, fit=begun.fit)
        return Stream(open_source(source, reconnect, reader), run, batch, on_error, on_wait)

    def follow(
        self,
        store: Store | str | os.PathLike[str],
        *,
        every: float = 1.0,
        golden: object = None,
        watch: object = None,
    ) -> Following:
        """Runs the adapters that are active in a store, now and whenever that changes.

        Args:
            store: The store, or its folder.
            every: Seconds between two looks at it.
            golden: Golden images for every exchange; None are those that were named when a pack was
                added.
            watch: As for `adapters.swap`.

        Returns:
            What goes on: what was refused and why, and `close()`.

        Raises:
            StoreError, StorageError: The store cannot be read.
            OptionError: An argument is of another type.
            ForkError, ClosedError: As for a call.
        """
        from sakedge.adapters.following import Following
        from sakedge.store import Store

        self._running()
        opened = store if isinstance(store, Store) else Store.open(store, site=self._site)
        return Following(self.adapters, opened, every=every, golden=golden, watch=watch)

    def warm_up(self) -> None:
        """Runs a grey image, so that the next one takes no longer than those after it.

        Runtimes get their memory, and finish their kernels, in the first run. It is neither
        recorded nor watched.

        Raises:
            BackendError: The runtime failed.
            ForkError, ClosedError: As for a call.
        """
        self._running()
        grey = np.full((*self.input_size, 3), 128, np.uint8)
        self._run_each(grey, [self.adapters.snapshot()], self.tasks)

    def explain(self) -> Explanation:
        """What runs where, what was refused, and why; `print` it or read its fields."""
        model, snapshot = self._running(), self.adapters.snapshot()
        told = model.explain(snapshot)
        return explained(told, snapshot, self._origin, self.manifest, self.tasks, self._quality)

    def close(self) -> None:
        """Releases the runtime and the weights. Calls in progress complete."""
        was_open, self._model = self._model is not None, None
        self._trials.stop("the student was closed")
        self.adapters.close()
        if was_open:
            self._site.record("unload", subject=self._origin.path, old=self._origin.file_digest)

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
        return f"Student({self._origin.path}, {height}x{width}, {', '.join(self.tasks)})"

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """A pickled student is its configuration: it is loaded again where it is unpickled."""
        return self._origin.reload, (self.adapters.changes,)

    def _running(self) -> Model:
        self._guard.check()
        if self._model is None:
            raise ClosedError("the student is closed", remedy="Load it again")
        return self._model

    def _read(self, image: ImageLike, fit: str, color: Color = "rgb") -> Picture:
        """Reads an image; refuses by its header what is too large."""
        largest = self.input_size if fit == "pad" else None
        picture = read(image, color, max_pixels=self._options.max_pixels, largest=largest)
        if picture.is_on_device:
            require(self._running(), "device_images")
        return picture

    def _begin(
        self,
        count: int,
        adapters: Names | Sequence[Names],
        tasks: Names,
        fit: str | None,
        logits: bool,
        progress: Progress | None,
    ) -> BegunCall:
        model = self._running()
        names = pick("task", tasks, self.tasks, UnknownTaskError)
        if not names:
            raise OptionError("no task was asked for", expected=f"some of {', '.join(self.tasks)}")
        return BegunCall(
            model,
            self.manifest.levels,
            self.adapters.choose(adapters, count, names),
            self.manifest.preprocess.fit if fit is None else check_fit(fit),
            flag("logits", logits),
            _checked(progress),
            self._quality,
            self._observe,
        )

    def _run_each(
        self, image: ImageLike, snapshots: Sequence[Snapshot], tasks: Sequence[str]
    ) -> list[Result]:
        """Runs an image with several snapshots, for golden images and watches: not observed."""
        fit = self.manifest.preprocess.fit
        picture = image if isinstance(image, Picture) else self._read(image, fit)
        begun = BegunCall(
            self._running(),
            self.manifest.levels,
            [each.narrowed(each.active, tuple(tasks)) for each in snapshots],
            fit,
            False,
            silent,
            self._quality,
        )
        return begun.run([picture] * len(snapshots))

    def _observe(self, picture: Picture, result: Result) -> None:
        """What is done about every image that was run for a caller."""
        self._trials.observe(picture, result)
        if self._site.records_inferences:
            from sakedge.measuring.data.base import digest_of_pixels

            self._site.record(
                "infer",
                subject=self._origin.path,
                old=digest_of_pixels(picture),
                new=result.values_digest,
            )


def _checked(progress: Progress | None) -> Progress:
    if progress is not None and not callable(progress):
        raise OptionError("progress cannot be called", expected="a function", got=shown(progress))
    return silent if progress is None else progress
