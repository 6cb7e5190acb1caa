"""What a metric is."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import OptionError


class Metric(Protocol):
    """How well one task is done."""

    @property
    def name(self) -> str:
        """What the field calls it, e.g. `mIoU`."""
        ...

    @property
    def unit(self) -> str:
        """Unit of its value, e.g. `%`; empty where the task states none."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """Whether a better student has a higher value."""
        ...

    @property
    def size(self) -> int:
        """How many numbers an image's statistics are, S."""
        ...

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """The statistics of one image, [S].

        Args:
            found: A task's decoded output [h, w] or [h, w, 3].
            truth: What it should be, of the same size.

        Raises:
            OptionError: The sizes differ.
        """
        ...

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The metric, of statistics added up over images: [..., S] → [...].

        It is NaN where no pixel of any image was valid.
        """
        ...


class Agreement(Metric, Protocol):
    """How near a student comes to another, whose outputs stand in for the truth."""

    @property
    def whole(self) -> float:
        """What a difference is a share of: 100 for per cents, a right angle for an angle."""
        ...


def check_sizes(found: NDArray[Any], truth: NDArray[Any]) -> None:
    """Checks that an output and its truth cover the same pixels.

    Raises:
        OptionError: They do not.
    """
    if found.shape != truth.shape:
        raise OptionError(
            "an output and its ground truth differ in size",
            expected=str(list(truth.shape)),
            got=str(list(found.shape)),
            remedy="Give the ground truth at the size of the image",
        )


def quotient(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """`above` / `below`, NaN where `below` is 0."""
    nothing = np.full(np.shape(above), np.nan)
    return np.asarray(np.divide(above, below, out=nothing, where=below != 0))
