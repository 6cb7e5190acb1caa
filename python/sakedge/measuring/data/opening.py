"""Which layout a folder has, and opening it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sakedge.arguments import one_of, pick
from sakedge.errors import DatasetError, OptionError, UnknownTaskError, shown
from sakedge.files.atomic import is_folder, storage_error
from sakedge.files.paths import file_path
from sakedge.format import Manifest
from sakedge.measuring.data import nyud_v2, pascal_context
from sakedge.measuring.data.base import Dataset
from sakedge.measuring.data.folder import IMAGES, open_folder

MARKS = {
    "pascal-context": pascal_context.MARK,
    "nyud-v2": nyud_v2.MARK,
    "folder": IMAGES,
}
"""Layout → the folder by which it is known, in the order in which they are looked for."""
KINDS = ("auto", *MARKS)


def as_dataset(
    data: str | os.PathLike[str] | Dataset,
    manifest: Manifest,
    kind: str = "auto",
    tasks: str | Sequence[str] | None = None,
) -> Dataset:
    """A data set as it is, or the one in a folder; see `open_dataset`.

    Raises:
        OptionError: It is neither.
    """
    if isinstance(data, str | os.PathLike):
        return open_dataset(data, manifest, kind, tasks)
    if not isinstance(data, Dataset):
        raise OptionError(
            "the data set is none", expected="its folder, or a Dataset", got=shown(data)
        )
    return data


def open_dataset(
    path: str | os.PathLike[str],
    manifest: Manifest,
    kind: str = "auto",
    tasks: str | Sequence[str] | None = None,
) -> Dataset:
    """Opens a data set to measure a student on. Reads no image and no ground truth yet.

    Args:
        path: Its folder.
        manifest: The student's, whose tasks are looked for.
        kind: `folder`, `pascal-context`, `nyud-v2`, or `auto` to find out.
        tasks: The tasks to measure; None is those that there is ground truth for.

    Raises:
        DatasetError: It is no data set, is empty, or lacks ground truth.
        UnknownTaskError: The student has no such task.
        OptionError: No such kind.
        StorageError: It cannot be read.
    """
    one_of("kind of data set", kind, KINDS)
    root = file_path("the data set", path)
    names = pick("task", tasks, manifest.task_names, UnknownTaskError)
    infos = {info.name: info for info in manifest.tasks if info.name in names}
    try:
        kind = _kind_of(root) if kind == "auto" else kind
        if kind == "pascal-context":
            data: Dataset = pascal_context.open_pascal(root, infos)
        elif kind == "nyud-v2":
            data = nyud_v2.open_nyud(root, infos)
        else:
            data = open_folder(root, infos, tasks is None)
    except OSError as error:
        raise storage_error("cannot read the data set", root, error) from error
    missing = [name for name in names if name not in data.tasks]
    if missing and tasks is not None:
        raise DatasetError(
            f"{root} has no ground truth for {', '.join(missing)}",
            expected=f"some of {', '.join(data.tasks)}",
        )
    return data


def _kind_of(root: Path) -> str:
    there = [kind for kind, mark in MARKS.items() if is_folder(root / mark)]
    if not there:
        what = "no such folder" if not is_folder(root) else "none of them"
        raise DatasetError(
            f"{root} is no data set",
            expected=f"a folder with {' or '.join(MARKS.values())} in it",
            got=what,
            remedy="See docs/evaluate.md for the layouts",
        )
    return there[0]
