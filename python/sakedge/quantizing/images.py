"""Which images calibrate, which ones the search sees, and which ones judge."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sakedge.format import Manifest
from sakedge.measuring.data import Dataset, as_dataset, subset
from sakedge.measuring.data.base import digest_of_pixels
from sakedge.progress import Progress
from sakedge.quantizing import sets
from sakedge.quantizing.data import Unlabelled
from sakedge.quantizing.inputs import Images
from sakedge.sources import SourceLike

MOST_TO_CALIBRATE = 64
"""Ranges hardly change with more."""
MOST_TO_SEARCH = 48
"""The search runs the student on them some dozen times."""


@dataclass(frozen=True)
class ThreeSets:
    """Images that share none.

    Attributes:
        calibration: Calibrates.
        search: Finds what has to stay in floats.
        judge: Judges.
    """

    calibration: Images
    search: Dataset
    judge: Dataset


def choose(
    calibration: SourceLike,
    evaluation: str | os.PathLike[str] | Dataset | None,
    kind: str,
    manifest: Manifest,
    progress: Progress,
) -> ThreeSets:
    """Divides the images.

    Args:
        calibration: Images like those that the student will see.
        evaluation: A data set, or the folder of one; without it the calibration images are divided.
        kind: The layout of that folder.
        manifest: The student's.
        progress: Called while images are read.

    Raises:
        DatasetError: There are too few, some are in both, or the data set cannot be used.
        SourceError, ImageError, StorageError, OptionError: An image cannot be used.
    """
    images = Images.open(calibration, manifest)
    if evaluation is None:
        return _of_one(images, progress)
    evaluation = as_dataset(evaluation, manifest, kind)
    images = images.some(sets.spread(len(images), MOST_TO_CALIBRATE))
    ours = _digests(images, "reading the calibration images", progress)
    sets.check_enough("calibration images", len({*ours}), sets.FEWEST_TO_CALIBRATE)
    theirs = []
    for i in range(len(evaluation)):
        progress("reading the evaluation images", i / len(evaluation))
        theirs.append(evaluation.image_digest(i))
    sets.check_disjoint(ours, theirs)
    sets.check_enough("evaluation images", len({*theirs}), sets.FEWEST_TO_JUDGE, 2)
    search, judge = sets.in_parts(theirs, 2)
    return ThreeSets(images, _searched(evaluation, search), _judged(evaluation, judge))


def _of_one(images: Images, progress: Progress) -> ThreeSets:
    digests = _digests(images, "reading the images", progress)
    sets.check_enough("calibration images", len({*digests}), sets.FEWEST_TO_JUDGE, 3)
    first, search, judge = sets.in_parts(digests, 3)
    first = tuple(first[i] for i in sets.spread(len(first), MOST_TO_CALIBRATE))
    data: Dataset = Unlabelled(images, digests, "calibration images")
    return ThreeSets(images.some(first), _searched(data, search), _judged(data, judge))


def _searched(data: Dataset, some: tuple[int, ...]) -> Dataset:
    some = tuple(some[i] for i in sets.spread(len(some), MOST_TO_SEARCH))
    return subset(data, some, f"{data.name}, searched on")


def _judged(data: Dataset, some: tuple[int, ...]) -> Dataset:
    return subset(data, some, f"{data.name}, held out")


def _digests(images: Images, step: str, progress: Progress) -> list[str]:
    found = []
    for i in range(len(images)):
        progress(step, i / len(images))
        found.append(digest_of_pixels(images[i]))
    return found
