"""Golden images and trends that someone damaged: each fault is named, and nothing else happens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.datasets import manifest, write_folder

from sakedge.canary.golden import Golden
from sakedge.canary.trend import MOST_POINTS, Point, TaskPoint, Trend
from sakedge.errors import DatasetError, FileFormatError, ImageError, SakedgeError, StorageError
from sakedge.format import Manifest

__all__ = ["manifest"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_folder(tmp_path / "golden", 17)
    return tmp_path / "golden"


def _limits(**fields: Any) -> bytes:
    return json.dumps({"format_version": 1, **fields}).encode()


def _task(**fields: Any) -> bytes:
    return _limits(tasks={"edge": fields})


LIMITS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "Expecting value"),
    "no JSON": (b"{", "Expecting"),
    "no UTF-8": (b'{"a": "\xff"}', "utf-8"),
    "no object": (b"[]", "valid dictionary"),
    "two of one key": (b'{"format_version": 1, "format_version": 1}', "a key twice"),
    "nested": (b'{"tasks": ' + b"[" * 40 + b"]" * 40 + b"}", "nested more than 32 deep"),
    "deeply nested": (b"[" * 60000, "nested more than 32 deep"),
    "a number without end": (b'{"max_drop": 0.' + b"1" * 5000 + b"}", "more than 64 digits"),
    "NaN": (b'{"format_version": 1, "max_drop": NaN}', "no number of JSON"),
    "overflow": (b'{"format_version": 1, "max_drop": 1e999}', "too large"),
    "too many tasks": (
        _limits(tasks={f"task{i}": {} for i in range(300)}),
        "300 keys, more than 256",
    ),
    "no version": (b"{}", "format_version: Field required"),
    "another version": (b'{"format_version": 2}', "format_version"),
    "a version in text": (b'{"format_version": "1"}', "format_version"),
    "an unknown field": (_limits(max_drops=0.1), "max_drops: Extra"),
    "an unknown field of a task": (_task(drop=0.1), "tasks.edge.drop: Extra"),
    "nothing may drop": (_limits(max_drop=0), "max_drop: Input should be greater than 0"),
    "all may drop": (_limits(max_drop=1.5), "less than or equal to 1"),
    "a drop in text": (_limits(max_drop="0.1"), "max_drop: Input should be a valid number"),
    "a drop that is true": (_limits(max_drop=True), "max_drop: Input should be a valid number"),
    "unchanged in text": (_task(unchanged="yes"), "tasks.edge.unchanged: Input should be a valid"),
    "a limit without a cause": (_task(max_disagreement=0.1), "lets it change"),
    "another task": (_limits(tasks={"paint": {}}), "paint"),
    "tasks in a list": (_limits(tasks=["edge"]), "tasks: Input should be a valid dictionary"),
    "half a surrogate": (b'{"format_version": 1, "tasks": {"\\ud800": {}}}', "surrogates"),
}


@pytest.mark.parametrize(("content", "told"), LIMITS.values(), ids=LIMITS)
def test_limits(root: Path, manifest: Manifest, content: bytes, told: str) -> None:
    (root / "golden.json").write_bytes(content)
    with pytest.raises(DatasetError) as error:
        Golden.read(root, manifest)
    assert told in str(error.value) and len(str(error.value)) < 3000


def _another_image(root: Path) -> None:
    (root / "images" / "part-0.png").rename(root / "images" / "part-a.png")


def _remove_truth(root: Path) -> None:
    (root / "edge" / "part-3.npy").unlink()


def _truncate(root: Path) -> None:
    path = root / "images" / "part-5.png"
    path.write_bytes(path.read_bytes()[:500])


def _other_size(root: Path) -> None:
    np.save(root / "sal" / "part-2.npy", np.zeros((8, 8), bool))


def _pickle(root: Path) -> None:
    np.save(root / "sal" / "part-2.npy", np.array([{}], object), allow_pickle=True)


def _beyond_classes(root: Path) -> None:
    Image.fromarray(np.full((64, 96), 77, np.uint8)).save(root / "defects" / "part-1.png")


def _no_truth_anywhere(root: Path) -> None:
    for path in (root / "height").iterdir():
        np.save(path, np.zeros((64, 96), np.float32))


def _limits_are_a_folder(root: Path) -> None:
    (root / "golden.json").mkdir()


def _limits_are_a_pipe(root: Path) -> None:
    os.mkfifo(root / "golden.json")


def _limits_are_long(root: Path) -> None:
    (root / "golden.json").write_bytes(b" " * 70000 + _limits())


def _description_is_long(root: Path) -> None:
    (root / "dataset.json").write_bytes(b" " * 70000 + b"{}")


def _description_has_a_key_twice(root: Path) -> None:
    (root / "dataset.json").write_bytes(b'{"name": "a", "name": "b"}')


def _no_images(root: Path) -> None:
    (root / "images").rename(root / "pictures")


@pytest.mark.parametrize(
    ("damage", "error", "told"),
    [
        (_another_image, DatasetError, "part-a"),
        (_remove_truth, DatasetError, "part-3"),
        (_truncate, ImageError, "part-5"),
        (_other_size, DatasetError, "part-2"),
        (_pickle, DatasetError, "part-2"),
        (_beyond_classes, DatasetError, "77"),
        (_no_truth_anywhere, DatasetError, "says nothing about height"),
        (_limits_are_a_folder, DatasetError, "got golden.json"),
        (_limits_are_a_pipe, StorageError, "golden.json"),
        (_limits_are_long, FileFormatError, "golden.json is too large"),
        (_description_is_long, FileFormatError, "dataset.json is too large"),
        (_description_has_a_key_twice, DatasetError, "a key twice"),
        (_no_images, DatasetError, "pictures|no data set|images"),
    ],
)
def test_images_and_truth(
    root: Path,
    manifest: Manifest,
    damage: Callable[[Path], None],
    error: type[SakedgeError],
    told: str,
) -> None:
    damage(root)
    with pytest.raises(error, match=told):
        Golden.read(root, manifest)


POINT = Point(
    time="2026-11-26T04:00:00+00:00",
    student="0" * 64,
    adapters={"sam": "1" * 64},
    golden="2" * 64,
    images=16,
    failed=0,
    first=True,
    tasks={
        "edge": TaskPoint(
            metric="odsF",
            unit="%",
            value=80.0,
            baseline=80.0,
            drop=0.0,
            low=0.0,
            high=0.0,
            allowed=0.01,
            verdict="as good",
        )
    },
    alerts=[],
)


def _with(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps({**json.loads(content), **fields}).encode()


TRENDS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half a line": (lambda content: content[:100], "line 1"),
    "an empty line": (lambda content: content + b"\n" + content, "line 2"),
    "another line": (lambda content: content + b"{}", "line 2"),
    "a line too long": (lambda content: content + b" " * 70000 + b"{}", "more than 65536"),
    "too many lines": (lambda content: content * (MOST_POINTS + 1), "too long for a trend"),
    "fewer images than none": (_with(images=-1), "images: Input should be greater"),
    "another field": (_with(note="x"), "note: Extra"),
    "a long text": (_with(time="x" * 5000), "time: String should have at most"),
    "tasks in a list": (_with(tasks=[]), "tasks: Input should be a valid dictionary"),
}


@pytest.mark.parametrize(("damage", "told"), TRENDS.values(), ids=TRENDS)
def test_trends(tmp_path: Path, damage: Callable[[bytes], bytes], told: str) -> None:
    trend = Trend(tmp_path)
    trend.append(POINT)
    path = tmp_path / "trend.jsonl"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileFormatError) as error:
        trend.points()
    assert told in str(error.value)
