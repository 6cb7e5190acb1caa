"""Reads a whole data set once before hours of measuring, so that its faults come first."""

from __future__ import annotations

from sakedge.errors import DatasetError
from sakedge.format import Manifest
from sakedge.measuring.data.base import Dataset
from sakedge.measuring.data.truth import has_any
from sakedge.progress import Progress


def check(data: Dataset, manifest: Manifest, progress: Progress | None = None) -> None:
    """Reads all images and all ground truth.

    Args:
        data: The data set.
        manifest: The student's.
        progress: Called with the progress made.

    Raises:
        DatasetError: Some ground truth cannot be used, or a task has none at any pixel.
        ImageError, StorageError: An image cannot be read.
    """
    infos = {info.name: info for info in manifest.tasks}
    empty = set(data.tasks)
    positive = {name for name in data.tasks if infos[name].kind not in ("probability", "two_class")}
    for i in range(len(data)):
        if progress is not None:
            progress("checking the data set", i / len(data))
        truth = data[i].truth
        empty -= {n for n in empty if has_any(infos[n], truth[n], data.rules[n].ignore)}
        positive |= {n for n in truth if n not in positive and (truth[n] == 1).any()}
    for name in data.tasks:
        if name in empty:
            raise DatasetError(
                f"{data.name} says nothing about {name}: every pixel of every image is ignored",
                remedy="Check its files, or leave the task out",
            )
        if name not in positive:
            raise DatasetError(
                f"{data.name} has no positive pixel of {name} in any image",
                expected="1 where there is one",
                got="0 and 255 (ignored) only",
                remedy='Where the files have 255 for one, state `"positive": 255` in dataset.json',
            )
