"""Metrics of label maps: mIoU, and how many labels two students share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import OptionError
from sakedge.measuring.metrics.base import check_sizes, quotient

MOST_CLASSES = 64
"""With more classes than this a confusion matrix per image takes too much memory to be kept."""


@dataclass(frozen=True)
class MeanIoU:
    """Mean over classes of TP / (TP + FP + FN), pooled, in per cent.

    A class that is neither in the truth nor in the output of any image does not count.

    Its statistics are the confusion matrix [truth, found]; with more than `MOST_CLASSES` classes
    only what IoU needs of it: pixels right, true and found, of each class.

    Attributes:
        classes: How many there are.
        ignore: The label of pixels that are not counted.
        background: A label that alone makes an image not count, as `human_parts` leaves out images
            without people; None for no such rule.
    """

    classes: int
    ignore: int = 255
    background: int | None = None
    name = "mIoU"
    unit = "%"
    higher_is_better = True

    @property
    def size(self) -> int:
        """Classes squared, or three times the classes."""
        return self.classes**2 if self.classes <= MOST_CLASSES else 3 * self.classes

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Counts of pixels.

        Raises:
            OptionError: The sizes differ, or a label is beyond the classes.
        """
        check_sizes(found, truth)
        valid = truth != self.ignore
        true, seen = truth[valid].astype(np.int64), found[valid].astype(np.int64)
        if np.all(true == self.background):  # no pixel at all, or background only
            return np.zeros(self.size)
        highest = int(max(true.max(), seen.max()))
        if highest >= self.classes:
            raise OptionError(
                "a label is beyond the classes of its task",
                expected=f"0 to {self.classes - 1}, or {self.ignore} where there is none",
                got=str(highest),
            )
        if self.classes <= MOST_CLASSES:
            counts = np.bincount(true * self.classes + seen, minlength=self.size)
        else:
            each = (true[true == seen], true, seen)
            counts = np.concatenate([np.bincount(x, minlength=self.classes) for x in each])
        return counts.astype(np.float64)

    def class_iou(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """IoU of each class in per cent, [..., S] → [..., classes]; NaN where there is none."""
        matrix = self.confusion(sums)
        if matrix is None:
            right, true, seen = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, -1), -2, 0)
        else:
            right = np.diagonal(matrix, axis1=-2, axis2=-1)
            true, seen = matrix.sum(-1), matrix.sum(-2)
        return 100 * quotient(right, true + seen - right)

    def confusion(self, sums: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Pixels by true and by found class, [..., classes, classes]; None for too many classes."""
        if self.classes > MOST_CLASSES:
            return None
        return sums.reshape(*sums.shape[:-1], self.classes, self.classes)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean IoU in per cent."""
        iou = self.class_iou(sums)
        there = ~np.isnan(iou)
        return quotient(np.where(there, iou, 0).sum(-1), there.sum(-1))


@dataclass(frozen=True)
class LabelAgreement:
    """The share of pixels to which both students give the same label, in per cent."""

    name = "label agreement"
    unit = "%"
    higher_is_better = True
    whole = 100.0
    size = 2

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Pixels that agree, and all pixels."""
        check_sizes(found, truth)
        return np.array([np.count_nonzero(found == truth), truth.size], np.float64)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share, in per cent."""
        return 100 * quotient(sums[..., 0], sums[..., 1])
