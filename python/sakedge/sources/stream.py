"""Turns a source's pictures into results, skipping bad frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Literal, TypeAlias, TypeVar

from sakedge.arguments import in_range
from sakedge.errors import OptionError, SakedgeError, shown
from sakedge.images import Picture
from sakedge.logs import LOG
from sakedge.sources.base import Frame, Source, Waiting

T = TypeVar("T")


@dataclass(frozen=True)
class FrameError:
    """A frame for which there is no result.

    Attributes:
        source: Name of the frame.
        error: Why.
    """

    source: str
    error: SakedgeError


OnError: TypeAlias = Literal["warn", "raise"] | Callable[[FrameError], object]


class Stream(Generic[T]):
    """Results of a source, in order. A bad frame is reported and the stream continues.

    Iterate it once; leaving the loop closes the source.

    Args:
        source: Yields the frames.
        run: Returns for each picture of a batch a result, or why there is none.
        batch: Pictures given to `run` at once.
        on_error: What is done with a bad frame.
        on_wait: Called again and again while the loop waits for a frame of a source that lives.

    Attributes:
        errors: The last hundred frames without a result.
        error_count: How many there were in all.
    """

    def __init__(
        self,
        source: Source,
        run: Callable[[list[Picture]], list[T | SakedgeError]],
        batch: int = 1,
        on_error: OnError = "warn",
        on_wait: Callable[[], object] | None = None,
    ) -> None:
        in_range("batch", batch, low=1, whole=True)
        if not callable(on_error) and not (
            isinstance(on_error, str) and on_error in ("warn", "raise")
        ):
            raise OptionError(
                "unknown on_error", expected="'warn', 'raise' or a callable", got=shown(on_error)
            )
        if on_wait is not None and isinstance(source, Waiting):
            source.on_wait = on_wait
        self._source = source
        self._run = run
        self._batch = batch
        self._on_error = on_error
        self._closed = False
        self.errors: deque[FrameError] = deque(maxlen=100)
        self.error_count = 0

    @property
    def dropped(self) -> int:
        """Frames of a live source that were dropped for newer ones."""
        return self._source.dropped

    @property
    def inputs(self) -> Sequence[str]:
        """Paths of the files that the source reads."""
        return self._source.inputs

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files of a folder or pattern that are passed over because they are no images."""
        return self._source.skipped

    def __iter__(self) -> Iterator[T]:
        try:
            waiting: list[Picture] = []
            for frame in self._source:
                if frame.picture is None:
                    self._report(frame)
                    continue
                waiting.append(frame.picture)
                if len(waiting) == self._batch:
                    yield from self._results(waiting)
                    waiting = []
            if waiting and not self._closed:
                yield from self._results(waiting)
        finally:
            self.close()

    def close(self) -> None:
        """Closes the source, from any thread; a running loop ends before its next result."""
        self._closed = True
        self._source.close()

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _results(self, pictures: list[Picture]) -> Iterator[T]:
        """Runs a batch and reports the pictures in it that cannot be used."""
        for picture, result in zip(pictures, self._run(pictures), strict=True):
            if self._closed:
                return
            if isinstance(result, SakedgeError):
                self._report(Frame(picture.source or "array", error=result))
            else:
                yield result

    def _report(self, frame: Frame) -> None:
        assert frame.error is not None
        self.error_count += 1
        self.errors.append(FrameError(frame.name, frame.error))
        if self._on_error == "raise":
            raise frame.error
        if self._on_error == "warn":
            LOG.warning("%s", frame.error)
        else:
            self._on_error(self.errors[-1])
