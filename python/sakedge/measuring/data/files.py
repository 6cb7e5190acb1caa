"""A data set that lies in files: an image and a file of ground truth per task for each name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from sakedge.errors import DatasetError
from sakedge.files.atomic import storage_error
from sakedge.images import read
from sakedge.measuring.data.base import Example, digest_of, digest_of_pixels
from sakedge.measuring.data.truth import Truths

_NAMED = 3
"""Names that a message lists."""


class FileDataset:
    """Labelled images in files.

    Args:
        name: What to call it.
        images: File of each image, by name, in order.
        truths: Ground truth by task.

    Raises:
        DatasetError: There is no image, no task, or no ground truth for some image.
    """

    def __init__(self, name: str, images: Mapping[str, Path], truths: Mapping[str, Truths]) -> None:
        _refuse_gaps(name, images, truths)
        self.name = name
        self.tasks = tuple(truths)
        self.rules = {task: each.rules for task, each in truths.items()}
        self.ids = tuple(images)
        self._images = images
        self._truths = truths
        self._item_digest = lru_cache(maxsize=None)(self._digest_item)

    @cached_property
    def digest(self) -> str:
        """As for a `Dataset`."""
        return digest_of(self)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Example:
        name = self.ids[index]
        picture = read(self._images[name])
        truth = {task: each.of(name, picture.size) for task, each in self._truths.items()}
        return Example(name, picture, truth)

    def item_digest(self, index: int) -> str:
        """As for a `Dataset`."""
        return self._item_digest(index)

    def image_digest(self, index: int) -> str:
        """As for a `Dataset`."""
        return digest_of_pixels(read(self._images[self.ids[index]]))

    def _digest_item(self, index: int) -> str:
        name = self.ids[index]
        digest = hashlib.sha256(_digest_file(self._images[name]))
        for task, each in sorted(self._truths.items()):
            digest.update(f"\0{task}\0{each.rules}\0{each.positive}\0{each.scale}\0".encode())
            for path in each.files[name]:
                digest.update(_digest_file(path))
        return digest.hexdigest()


def some(names: list[str]) -> str:
    """A few of many names, for a message."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse_gaps(name: str, images: Mapping[str, Path], truths: Mapping[str, Truths]) -> None:
    if not images:
        raise DatasetError(f"{name} has no image", expected="at least one")
    if not truths:
        raise DatasetError(
            f"{name} has no ground truth for any of the student's tasks",
            remedy="See docs/evaluate.md for the layouts",
        )
    for task, each in truths.items():
        missing = [key for key in images if key not in each.files]
        if missing:
            raise DatasetError(
                f"{name} lacks ground truth of {task} for {len(missing)} of its images",
                expected=f"a file for each of {len(images)} images",
                got=f"none for {some(missing)}",
                remedy="Add the files, or leave the task out",
            )


def _digest_file(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise storage_error("cannot read", path, error) from error
    return digest.digest()
