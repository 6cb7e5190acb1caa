"""What a student is judged on: labelled images, or fp32's outputs where there are no labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.files.atomic import atomic_write, is_there, make_folder
from sakedge.format import Manifest
from sakedge.measuring.data import Dataset, Example
from sakedge.measuring.data.base import digest_of
from sakedge.measuring.metrics import Metric, agreement_for
from sakedge.measuring.metrics.table import Rules
from sakedge.measuring.running import metrics_for
from sakedge.quantizing.inputs import Images
from sakedge.student import Student


class Unlabelled:
    """Images without ground truth as a data set.

    Args:
        images: The images.
        digests: Each one's, of its pixels.
        name: What to call them.
    """

    tasks: tuple[str, ...] = ()
    rules: Mapping[str, Rules] = {}

    def __init__(self, images: Images, digests: Sequence[str], name: str) -> None:
        self.name = name
        self.ids = tuple(f"{i:06d}" for i in range(len(images)))
        self._images = images
        self._digests = digests

    @property
    def digest(self) -> str:
        """SHA-256 of all images."""
        return digest_of(self)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Example:
        return Example(self.ids[index], self._images[index], {})

    def item_digest(self, index: int) -> str:
        """SHA-256 of the image's pixels."""
        return self._digests[index]

    def image_digest(self, index: int) -> str:
        """SHA-256 of the image's pixels."""
        return self._digests[index]


class Answered:
    """A data set that has an answer to every task: what fp32 says, where it has no label.

    Args:
        data: The data set.
        student: The student in fp32.
        folder: Where its outputs are kept.

    Attributes:
        unlabelled: The tasks whose answers are the student's.
    """

    def __init__(self, data: Dataset, student: Student, folder: Path) -> None:
        self.name = data.name
        self.tasks = student.tasks
        self.unlabelled = tuple(task for task in student.tasks if task not in data.tasks)
        self.rules = data.rules
        self.ids = data.ids
        self._data = data
        self._student = student
        self._folder = folder

    @property
    def digest(self) -> str:
        """That of the data set, and of the student where its answers count."""
        if not self.unlabelled:
            return self._data.digest
        answers = f"{self._student.explain().digest}\0{' '.join(self.unlabelled)}"
        return hashlib.sha256(f"{self._data.digest}\0{answers}".encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Example:
        example = self._data[index]
        if not self.unlabelled:
            return example
        answers = self._answers(example)
        return Example(example.id, example.image, {**example.truth, **answers})

    def item_digest(self, index: int) -> str:
        """That of the data set."""
        return self._data.item_digest(index)

    def image_digest(self, index: int) -> str:
        """That of the data set."""
        return self._data.image_digest(index)

    def metrics(self, manifest: Manifest) -> dict[str, Metric]:
        """The metric of each task, in the student's order."""
        infos = {info.name: info for info in manifest.tasks}
        labelled = metrics_for(self._data, manifest)
        return {
            task: agreement_for(infos[task]) if task in self.unlabelled else labelled[task]
            for task in self.tasks
        }

    def _answers(self, example: Example) -> dict[str, NDArray[Any]]:
        """The outputs of the student, computed once and kept as files: a set may be large."""
        place = self._folder / hashlib.sha256(example.id.encode()).hexdigest()
        if not is_there(place):
            result = self._student(example.image, tasks=self.unlabelled)
            make_folder(self._folder)
            with atomic_write(place) as file:
                arrays: Any = {task: result[task].values for task in self.unlabelled}
                np.savez(file, **arrays)
        with np.load(place, allow_pickle=False) as kept:
            return {task: kept[task] for task in self.unlabelled}
