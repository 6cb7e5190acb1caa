"""The values that Δm refers to."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sakedge.errors import DatasetError
from sakedge.files.atomic import storage_error
from sakedge.format.strict_json import loads


def read_baseline(path: str | os.PathLike[str], tasks: Collection[str]) -> dict[str, float]:
    """Reads a file of JSON: a value by task, of models trained for that task alone.

    Args:
        path: The file.
        tasks: The tasks that are measured; values of others are left out.

    Raises:
        DatasetError: It is no such file, or has no value for any of the tasks.
        StorageError: It cannot be read.
    """
    return of_tasks(_read(Path(path)), tasks, os.fspath(path))


def of_tasks(values: Any, tasks: Collection[str], name: str) -> dict[str, float]:
    """The values of the tasks that are measured.

    Raises:
        DatasetError: They are no numbers above 0 by task, or none is of these tasks.
    """
    is_one = isinstance(values, Mapping) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in values.values()
    )
    if not is_one:
        raise DatasetError(
            f"{name} is no baseline",
            expected='numbers above 0 by task, e.g. {"semseg": 67.2, "normals": 13.9}',
        )
    found = {task: float(values[task]) for task in tasks if task in values}
    if not found:
        raise DatasetError(
            f"{name} has a value for none of the tasks",
            expected=f"some of {', '.join(tasks)}",
            got=", ".join(map(str, values)) or "nothing",
        )
    return found


def _read(path: Path) -> Any:
    try:
        return loads(path.read_bytes(), most_bytes=1 << 20, most_keys=4096)
    except OSError as error:
        raise storage_error("cannot read the baseline", path, error) from error
    except ValueError as error:
        raise DatasetError(f"{path} is no baseline", expected="JSON", got=str(error)) from error
