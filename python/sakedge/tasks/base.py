"""What a task's output of any kind can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.drawing.legend import Legend
from sakedge.tasks.info import TaskInfo


@dataclass(frozen=True, eq=False)
class TaskResult(ABC):
    """One task's output for one image, in the image's own pixels.

    Subclasses name the values as their kind calls them, e.g. `labels`.

    Attributes:
        info: The task.
        values: The decoded output [h, w] or [h, w, 3].
        logits: The head's output, float32 [classes, H, W] at the student's input size, if it was
            asked for.
    """

    info: TaskInfo
    values: NDArray[Any]
    logits: NDArray[np.float32] | None = None

    @abstractmethod
    def draw(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Draws the output over its image, both RGB [h, w, 3]."""

    @abstractmethod
    def legend(self) -> Legend:
        """What the colours of `draw` mean."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """The output in a few numbers, ready for JSON."""
