"""Label maps: one class per pixel, the arg max of the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.arguments import in_range, several
from sakedge.drawing.colors import blend, palette
from sakedge.drawing.legend import Legend
from sakedge.errors import OptionError
from sakedge.tasks.base import TaskResult
from sakedge.tasks.probability import ProbabilityResult
from sakedge.tasks.regions import Region, find_regions


@dataclass(frozen=True, eq=False)
class LabelsResult(TaskResult):
    """A label map; `labels` is uint8 [h, w], uint16 beyond 256 classes."""

    @property
    def labels(self) -> NDArray[Any]:
        """Class index per pixel."""
        return self.values

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each class; its index where the student has no names."""
        return self.info.labels or tuple(str(i) for i in range(self.info.classes))

    @property
    def colors(self) -> NDArray[np.uint8]:
        """RGB colour of each class, uint8 [classes, 3]."""
        if self.info.colors is not None:
            return np.array(self.info.colors, np.uint8)
        return palette(self.info.classes)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Pixels of each class."""
        return np.bincount(self.values.ravel(), minlength=self.info.classes)

    def draw(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Tints each class; the class that covers most, the background, only faintly."""
        strength = np.full(self.info.classes, 0.6, np.float32)
        strength[self.counts.argmax()] = 0.15
        return blend(image, self.colors[self.values], strength[self.values])

    def legend(self) -> Legend:
        """The classes present, the largest first, with their share of the image."""
        present = [int(i) for i in np.argsort(-self.counts, kind="stable") if self.counts[i]]
        return Legend(
            tuple(
                (tuple(self.colors[i].tolist()), f"{self.names[i]}  {_percent(self.share(i))}")
                for i in present
            )
        )

    def share(self, index: int) -> float:
        """Share of the image that a class covers, 0…1."""
        return float(self.counts[index] / self.values.size)

    def regions(
        self,
        classes: Sequence[str] | None = None,
        *,
        min_area: int = 1,
        scores: ProbabilityResult | None = None,
    ) -> list[Region]:
        """Connected pixels of one class, the largest region first.

        Args:
            classes: Names of the classes wanted; None is all but the first, the background.
            min_area: Regions of fewer pixels are left out.
            scores: A probability of the same image, e.g. `result["sal"]`, for the regions' scores.

        Raises:
            OptionError: There is no such class, or the probability is of another image.
        """
        in_range("min_area", min_area, low=1, whole=True)
        if scores is not None and scores.values.shape != self.values.shape:
            raise OptionError(
                "the probability is of another image",
                expected=f"{self.values.shape} pixels",
                got=str(scores.values.shape),
            )
        names = self.names
        index = np.arange(len(names), dtype=np.int32)
        if classes is None:
            index[0] = -1
        else:  # a student may have several classes of one name
            index[~np.isin(names, several("class", classes, names))] = -1
        probability = None if scores is None else scores.values
        return find_regions(index[self.values], names, probability, min_area=min_area)

    def summary(self) -> dict[str, Any]:
        """Pixels and percent of each class that is present."""
        return {
            "classes": {
                self.names[i]: {
                    "pixels": int(count),
                    "percent": round(100 * self.share(i), 4),
                }
                for i, count in enumerate(self.counts)
                if count
            }
        }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
