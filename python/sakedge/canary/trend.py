"""The trend of golden images over time: a file of JSON lines, and the baseline it began with.

trend.jsonl     a line for each measurement, the newest last
baseline/       what the first one measured of each image
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sakedge.errors import FileFormatError
from sakedge.files.atomic import atomic_write, is_there, make_folder
from sakedge.files.bounded import read_bounded
from sakedge.format import strict_json
from sakedge.measuring.data.described import fault_in
from sakedge.measuring.statistics import Measurement, Store, forget
from sakedge.text import to_json

FILE, BASELINE = "trend.jsonl", "baseline"
MOST_POINTS = 2000
"""The oldest are dropped."""

_MOST_LINE = 1 << 16
_MOST_BYTES = 64 << 20
_MOST_KEYS = 256
_TEXT = Field(max_length=4096)
_NUMBER = float | None
"""NaN and infinity are null."""
_REMEDY = "Move the file away; the next measurement begins a new one"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TaskPoint(_Strict):
    """One task at one time: its metric, and how much worse it is than the baseline."""

    metric: str = _TEXT
    unit: str = _TEXT
    value: _NUMBER
    baseline: _NUMBER
    drop: _NUMBER
    low: _NUMBER
    high: _NUMBER
    allowed: _NUMBER
    verdict: str = _TEXT


class Point(_Strict):
    """One measurement.

    Attributes:
        time: In UTC, ISO 8601.
        student: Content digest of the student's file.
        adapters: Digest of each adapter that ran, by name.
        golden: Digest of the golden images and their ground truth.
        images: How many of them were measured.
        failed: How many could not be run.
        first: Whether it is the baseline of those that follow.
        tasks: By task what was found.
        alerts: What is wrong; empty if nothing is.
    """

    time: str = _TEXT
    student: str = _TEXT
    adapters: dict[str, str]
    golden: str = _TEXT
    images: int = Field(ge=0)
    failed: int = Field(ge=0)
    first: bool
    tasks: dict[str, TaskPoint]
    alerts: list[str]


class Trend:
    """The trend in a folder.

    Args:
        folder: Made when the first point is written.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE

    def points(self) -> tuple[Point, ...]:
        """All points, the oldest first.

        Raises:
            FileFormatError: The file is malformed.
            StorageError: It cannot be read.
        """
        return tuple(self._point(i, line) for i, line in enumerate(self._lines(), 1))

    def append(self, point: Point) -> None:
        """Adds a point; the oldest is dropped where there are too many.

        Raises:
            StorageError: It cannot be written.
        """
        lines = [*self._lines(), to_json(point.model_dump()).encode()][-MOST_POINTS:]
        make_folder(self.folder)
        with atomic_write(self._path) as file:
            file.write(b"".join(line + b"\n" for line in lines))

    def baseline(self, setting: Mapping[str, Any], ids: Sequence[str]) -> Measurement | None:
        """What the baseline measured of these images, or None if it is of another setting."""
        return Store(self.folder / BASELINE, setting).read(ids)

    def begin(self, setting: Mapping[str, Any], measured: Measurement) -> None:
        """Replaces the baseline.

        Raises:
            StorageError: It cannot be written.
        """
        forget(self.folder / BASELINE)
        Store(self.folder / BASELINE, setting).write(measured)

    def _lines(self) -> list[bytes]:
        if not is_there(self._path):
            return []
        lines = read_bounded(self._path, _MOST_BYTES).splitlines()
        if len(lines) > MOST_POINTS:
            raise FileFormatError(
                f"{self._path} is too long for a trend",
                expected=f"at most {MOST_POINTS} lines",
                got=f"{len(lines)}",
                remedy=_REMEDY,
            )
        return lines

    def _point(self, number: int, line: bytes) -> Point:
        try:
            fields = strict_json.loads(line, most_bytes=_MOST_LINE, most_keys=_MOST_KEYS)
            return Point.model_validate(fields)
        except ValueError as error:  # also pydantic's
            raise FileFormatError(
                f"line {number} of {self._path} is no measurement",
                got=fault_in(error),
                remedy=_REMEDY,
            ) from error
