"""The layout `folder`: images, a folder of ground truth per task, and a file that describes both.

images/<id>.<any image>
<task>/<id>.png or .npy
dataset.json                optional
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from sakedge.errors import DatasetError, SourceError
from sakedge.images import read
from sakedge.measuring.data.base import IGNORE
from sakedge.measuring.data.described import read_described
from sakedge.measuring.data.files import FileDataset
from sakedge.measuring.data.raw import read_values, read_vectors
from sakedge.measuring.data.truth import Truths
from sakedge.measuring.metrics.table import Rules
from sakedge.sources.files import images_of
from sakedge.tasks import TaskInfo

IMAGES = "images"
DESCRIPTION = "dataset.json"
_SUFFIXES = (".png", ".npy")


_SAID: dict[str, set[str]] = {
    "labels": {"ignore", "background"},
    "probability": {"positive", "edge_tolerance"},
    "two_class": {"positive"},
    "normals": set(),
    "scalar": {"scale"},
}
"""What dataset.json may say of a task of each kind."""


class _Task(BaseModel):
    """What dataset.json says of one task."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    scale: float = Field(default=1.0, gt=0)
    ignore: int = Field(default=IGNORE, ge=0, le=65535)
    background: int | None = Field(default=None, ge=0, le=65535)
    edge_tolerance: float = Field(default=0.0075, gt=0, lt=1)
    positive: int = Field(default=1, ge=1, le=65535)


class _Description(BaseModel):
    """dataset.json: what to call the data set, and how the files of its tasks are meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(default=None, max_length=256)
    tasks: dict[str, _Task] = {}


def open_folder(root: Path, tasks: Mapping[str, TaskInfo], all_of_them: bool) -> FileDataset:
    """Opens a data set of this layout.

    Args:
        root: Its folder.
        tasks: The tasks wanted.
        all_of_them: Whether these are all tasks of the student, so that a folder of another name
            is a mistake.

    Raises:
        DatasetError: It is not of this layout, or something is missing.
    """
    described = _describe(root)
    names = {each.name for each in root.iterdir() if each.is_dir() and each.name[0] != "."}
    unknown = sorted((names | set(described.tasks)) - {IMAGES} - set(tasks))
    if unknown and all_of_them:
        raise DatasetError(
            f"{root} has ground truth for a task that the student does not have",
            expected=f"{IMAGES} and some of {', '.join(tasks)}",
            got=", ".join(unknown),
            remedy="Rename or remove the folder, or name the tasks to measure",
        )
    images = _images(root)
    truths = {
        task: _truths(root / task, info, described.tasks.get(task, _Task()))
        for task, info in tasks.items()
        if task in names
    }
    return FileDataset(described.name or root.resolve().name, images, truths)


def _describe(root: Path) -> _Description:
    found = read_described(
        root / DESCRIPTION,
        _Description,
        "does not describe a data set",
        f"name, and tasks with some of {', '.join(_Task.model_fields)}",
    )
    return found or _Description()


def _images(root: Path) -> dict[str, Path]:
    folder = root / IMAGES
    try:
        found = images_of(sorted(folder.iterdir()), str(folder), read).inputs
    except SourceError as error:
        raise DatasetError(error.problem, expected=error.expected, got=error.got) from error
    return _by_name(folder, map(Path, found))


def _truths(folder: Path, info: TaskInfo, described: _Task) -> Truths:
    meaningless = described.model_fields_set - _SAID[info.kind]
    if meaningless:
        raise DatasetError(
            f"{folder.parent / DESCRIPTION} says of {info.name} what no {info.kind} task has",
            expected=", ".join(sorted(_SAID[info.kind])) or "nothing",
            got=", ".join(sorted(meaningless)),
        )
    files = (each for each in sorted(folder.iterdir()) if each.suffix in _SUFFIXES)
    return Truths(
        info,
        {name: (path,) for name, path in _by_name(folder, files).items()},
        read_vectors if info.kind == "normals" else read_values,
        Rules(described.ignore, described.background, described.edge_tolerance),
        described.positive,
        described.scale,
    )


def _by_name(folder: Path, files: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise DatasetError(
                f"{folder} has two files of one name",
                expected="one file for each image",
                got=f"{found[path.stem].name} and {path.name}",
                remedy="Remove or rename one of them",
            )
        found[path.stem] = path
    return found
