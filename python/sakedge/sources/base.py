"""What a source is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sakedge.errors import SakedgeError
from sakedge.images import Picture


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame, or the reason why there is none.

    Attributes:
        name: Path, or address and number, of the frame.
        picture: The frame, if it could be read.
        error: Otherwise, why not.
    """

    name: str
    picture: Picture | None = None
    error: SakedgeError | None = None


class Source(Protocol):
    """Yields frames until it ends or is closed."""

    @property
    def dropped(self) -> int:
        """Frames dropped because newer ones arrived; always 0 unless it is live."""
        ...

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files of a folder or pattern that are passed over because they are no images."""
        ...

    @property
    def inputs(self) -> Sequence[str]:
        """Paths of the files that it reads, which nothing must overwrite meanwhile."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames in order. A frame that cannot be read is yielded with its error."""
        ...

    def close(self) -> None:
        """Ends a running iteration, from any thread, and has the file or device released."""
        ...


@runtime_checkable
class Waiting(Protocol):
    """A source whose loop may have to wait for a frame.

    Attributes:
        on_wait: Called about twice a second meanwhile, by the loop itself, as long as whatever
            reads the source gives signs of life: frames, failures, a pause between attempts.
    """

    on_wait: Callable[[], object]
