"""What a source is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

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
    def inputs(self) -> Sequence[str]:
        """Paths of the files that it reads, which nothing must overwrite meanwhile."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames in order. A frame that cannot be read is yielded with its error."""
        ...

    def close(self) -> None:
        """Releases the file or device. A running iteration ends."""
        ...
