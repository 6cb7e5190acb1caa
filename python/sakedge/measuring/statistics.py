"""What is kept of measured images: per image sums, routing and time, in files that survive a run.

A store is a folder of chunks. A chunk holds a few images in a row and the key of what it was
measured with; one that is damaged, or of another key, is as good as none and measured again.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.files.atomic import atomic_write, make_folder
from sakedge.text import to_json

CHUNK = 16
"""Images in a chunk: so many are lost when a run is interrupted."""

_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises of a file that is damaged or none of its own."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured of some images.

    Attributes:
        ids: Their names.
        statistics: By task float64 [N, S]: what the task's metric makes its value of.
        routing: By task float32 [N, levels, experts]; experts are the stem, then the student's
            adapters in the order of its file.
        ms: float64 [N], milliseconds of each call.
    """

    ids: tuple[str, ...]
    statistics: Mapping[str, NDArray[np.float64]]
    routing: Mapping[str, NDArray[np.float32]]
    ms: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, parts: Sequence[Measurement]) -> Measurement:
        """Several measurements, one after the other."""
        first = parts[0]
        return cls(
            tuple(name for part in parts for name in part.ids),
            {t: np.concatenate([part.statistics[t] for part in parts]) for t in first.statistics},
            {t: np.concatenate([part.routing[t] for part in parts]) for t in first.routing},
            np.concatenate([part.ms for part in parts]),
        )


class Store:
    """A folder of chunks, all measured with the same things.

    Args:
        folder: Created when the first chunk is written.
        setting: All that the figures depend on.
    """

    def __init__(self, folder: Path, setting: Mapping[str, Any]) -> None:
        self._folder = folder
        self._key = hashlib.sha256(to_json(setting).encode()).hexdigest()

    def read(self, ids: Sequence[str]) -> Measurement | None:
        """The chunk of these images, or None if it is not there or damaged."""
        try:
            with self._path(ids).open("rb") as file, np.load(file, allow_pickle=False) as chunk:
                if chunk["key"] != self._key or chunk["ids"].tolist() != list(ids):
                    return None
                arrays = {name: chunk[name] for name in chunk.files}
        except _DAMAGE:
            return None
        return Measurement(
            tuple(ids), _named(arrays, "statistics"), _named(arrays, "routing"), arrays["ms"]
        )

    def write(self, chunk: Measurement) -> None:
        """Keeps a chunk.

        Raises:
            StorageError: It cannot be written.
        """
        make_folder(self._folder)
        arrays = {
            "key": np.array(self._key),
            "ids": np.array(chunk.ids),
            "ms": chunk.ms,
            **{f"statistics/{task}": each for task, each in chunk.statistics.items()},
            **{f"routing/{task}": each for task, each in chunk.routing.items()},
        }
        with atomic_write(self._path(chunk.ids)) as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    def _path(self, ids: Sequence[str]) -> Path:
        digest = hashlib.sha256("\0".join([self._key, *ids]).encode()).hexdigest()
        return self._folder / f"{digest[:32]}.npz"


def forget(folder: Path) -> None:
    """Removes the chunks of a store."""
    for chunk in folder.glob("*.npz"):
        with suppress(OSError):  # it is replaced when its images are measured again
            chunk.unlink()


def _named(arrays: Mapping[str, NDArray[Any]], what: str) -> dict[str, NDArray[Any]]:
    prefix = f"{what}/"
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
