"""What a data set is: labelled images by number, and digests that name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from sakedge.images import Picture
from sakedge.measuring.metrics.table import Rules

IGNORE = 255
"""The label that no pixel is measured at, unless a data set says another."""


@dataclass(frozen=True, eq=False)
class Example:
    """One labelled image.

    Attributes:
        id: Its name within the data set.
        image: The image, as a student takes it.
        truth: Ground truth by task, in the image's own pixels: labels uint8 or uint16 [h, w];
            `probability` and `two_class` uint8 [h, w] with 0, 1 and 255 for ignored; normals
            float32 [h, w, 3] of length 1, or 0 where there is none; scalars float32 [h, w], where
            NaN and what is not positive is none.
    """

    id: str
    image: Picture
    truth: Mapping[str, NDArray[Any]]


@runtime_checkable
class Dataset(Protocol):
    """Labelled images."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The student's tasks that it has ground truth for."""

    @property
    def rules(self) -> Mapping[str, Rules]:
        """How each of them is measured."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the images, in order."""

    @property
    def digest(self) -> str:
        """SHA-256 of all images and their ground truth; reads each file once."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Example:
        """Reads one example.

        Raises:
            DatasetError: Its ground truth is unreadable or does not fit the image or the task.
            ImageError, StorageError: Its image cannot be read.
        """

    def item_digest(self, index: int, /) -> str:
        """SHA-256 of one image's files and of how they are read."""

    def image_digest(self, index: int, /) -> str:
        """SHA-256 of the image's pixels, which finds the same picture in another file."""


class Subset:
    """Some examples of another data set, in the order given."""

    def __init__(self, data: Dataset, indices: Sequence[int], name: str) -> None:
        self.name = name
        self.tasks = data.tasks
        self.rules = data.rules
        self.ids = tuple(data.ids[i] for i in indices)
        self._data = data
        self._indices = tuple(indices)

    @property
    def digest(self) -> str:
        """As for a `Dataset`."""
        return digest_of(self)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Example:
        return self._data[self._indices[index]]

    def item_digest(self, index: int) -> str:
        """As for a `Dataset`."""
        return self._data.item_digest(self._indices[index])

    def image_digest(self, index: int) -> str:
        """As for a `Dataset`."""
        return self._data.image_digest(self._indices[index])


def subset(data: Dataset, indices: Sequence[int], name: str) -> Dataset:
    """A data set of some of another's examples.

    Args:
        data: The other one.
        indices: Which, in this order.
        name: What to call it.
    """
    return Subset(data, indices, name)


def evenly(data: Dataset, limit: int) -> Dataset:
    """At most so many of a data set's examples, taken evenly; itself if it has no more."""
    count = len(data)
    if limit >= count:
        return data
    return subset(data, [i * count // limit for i in range(limit)], f"{data.name}, {limit} images")


def digest_of(data: Dataset) -> str:
    """Digest of a data set: of its examples' digests and names, in order."""
    digest = hashlib.sha256()
    for i, name in enumerate(data.ids):
        digest.update(f"{name}\0{data.item_digest(i)}\0".encode())
    return digest.hexdigest()


def digest_of_pixels(picture: Picture) -> str:
    """SHA-256 of an image's pixels, their type and shape."""
    pixels = picture.pixels
    shape = "x".join(map(str, pixels.shape))
    digest = hashlib.sha256(f"{pixels.dtype.name}\0{shape}\0".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()
