"""Golden images: a labelled data set in a folder, and what an adapter may lose on it.

images/, <task>/, dataset.json      as of a data set in the layout `folder`
golden.json                         optional: the limits
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sakedge.errors import DatasetError
from sakedge.files.paths import file_path
from sakedge.format import Manifest
from sakedge.measuring.data import Dataset, check, open_dataset
from sakedge.measuring.data.described import read_described
from sakedge.progress import Progress

LIMITS = "golden.json"
FEWEST = 16
"""An interval over fewer images is mostly chance."""

MAX_DROP = 0.01
"""A task may lose one hundredth; docs/canary.md says how many images show that it does not."""
MAX_DISAGREEMENT = 0.01
"""A task that is declared unchanged may differ in one."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _Task(_Strict):
    """What golden.json says of one task."""

    max_drop: float | None = Field(default=None, gt=0, le=1)
    worst: float | None = None
    unchanged: bool = False
    max_disagreement: float | None = Field(default=None, gt=0, le=1)


class _Limits(_Strict):
    """golden.json: the limits of all tasks, and those of single ones."""

    format_version: Literal[1]
    max_drop: float = Field(default=MAX_DROP, gt=0, le=1)
    max_disagreement: float = Field(default=MAX_DISAGREEMENT, gt=0, le=1)
    tasks: dict[str, _Task] = Field(default={})


@dataclass(frozen=True)
class Limit:
    """What a new adapter must keep of one task.

    Attributes:
        max_drop: The largest drop of the metric, relative to the old adapter's value; the bad end
            of the paired interval counts.
        worst: The worst value of the metric allowed on these images; None for no such limit.
        max_disagreement: Of a task that is declared unchanged, how far it may differ from the old
            adapter's output, as a share; None for a task that may change.
    """

    max_drop: float = MAX_DROP
    worst: float | None = None
    max_disagreement: float | None = None


@dataclass(frozen=True)
class Golden:
    """Golden images, read once and found sound.

    Attributes:
        folder: Where they lie.
        data: The images and their ground truth.
        limits: By task, for each task of the data.
        digest: SHA-256 of all images and their ground truth.
    """

    folder: Path
    data: Dataset
    limits: Mapping[str, Limit]
    digest: str

    @classmethod
    def read(
        cls,
        folder: str | os.PathLike[str],
        manifest: Manifest,
        *,
        progress: Progress | None = None,
    ) -> Golden:
        """Opens golden images, and reads all of them once, so that their faults come first.

        Args:
            folder: Their folder.
            manifest: The student's, whose tasks are looked for.
            progress: Called with the progress made.

        Raises:
            DatasetError: It is no data set, has fewer than 16 images, lacks ground truth or has
                some that cannot be used, or golden.json is malformed or of other tasks.
            ImageError, StorageError: An image, or the folder, cannot be read.
            OptionError: `folder` is no path.
        """
        root = file_path("the golden images", folder)
        data = open_dataset(root, manifest, "folder")
        limits = _read_limits(root / LIMITS, data.tasks)
        if len(data) < FEWEST:
            raise DatasetError(
                f"{root} has too few golden images",
                expected=f"at least {FEWEST}",
                got=str(len(data)),
                remedy="Add labelled images of what the adapter is for",
            )
        check(data, manifest, progress)
        return cls(root, data, limits, data.digest)


def _read_limits(path: Path, tasks: tuple[str, ...]) -> dict[str, Limit]:
    found = read_described(
        path,
        _Limits,
        "does not say what an adapter may lose",
        f"format_version 1, and some of {', '.join(_Limits.model_fields)}; "
        f"of a task some of {', '.join(_Task.model_fields)}",
    )
    limits = found or _Limits(format_version=1)
    unknown = sorted(set(limits.tasks) - set(tasks))
    if unknown:
        raise DatasetError(
            f"{path} limits tasks that the golden images have no ground truth for",
            expected=f"some of {', '.join(tasks)}",
            got=", ".join(unknown),
        )
    return {task: _limit(path, task, limits) for task in tasks}


def _limit(path: Path, task: str, limits: _Limits) -> Limit:
    own = limits.tasks.get(task, _Task())
    if own.max_disagreement is not None and not own.unchanged:
        raise DatasetError(
            f"{path} limits how far {task} may differ, but lets it change",
            expected='"unchanged": true beside "max_disagreement"',
            got=f'"unchanged": false for {task}',
        )
    differs = limits.max_disagreement if own.max_disagreement is None else own.max_disagreement
    return Limit(
        limits.max_drop if own.max_drop is None else own.max_drop,
        own.worst,
        differs if own.unchanged else None,
    )
