"""Everything that a user calls, with arguments that it does not expect."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tools.fuzz.targets import Attempt
from tools.fuzz.values import value

import sakedge
from sakedge.format import StudentFile, extract_part, read_pack, write_pack
from sakedge.images import read

STUDENT = Path(sakedge.__file__).parent / "assets" / "demo-student.onnx"
LOADS = ("adapters", "tasks", "backend", "device", "precision", "threads", "cache_dir", "config")
OPTIONS = ("model", "min_weight", "max_batch", "tile_overlap", "onnxruntime")
CALLS = ("adapters", "tasks", "fit", "color", "logits", "progress")
SWAPS = ("any_stem", "teacher", "golden", "watch")
ADDS = ("any_stem", "golden", "watch")
FOLLOWS = ("every", "golden", "watch")
OPENS = ("site", "wait")
WATCHES = ("frames", "seconds", "every", "budget")
STORES = ("name", "version", "golden")
STREAMS = ("batch", "on_error", "adapters", "tasks", "fit", "logits")


def prepare(folder: Path) -> Attempt:
    """Loads a student, to be called, and writes a pack of one of its adapters."""
    os.chdir(folder)  # a name may turn out to be a path that can be written
    warnings.simplefilter("ignore")  # NumPy warns of some arrays that it refuses
    student = sakedge.load(STUDENT, backend="onnxruntime", threads=1, cache_dir="")
    name = student.adapters.names[0]
    pack = folder / "pack.safetensors"
    with StudentFile.open(STUDENT) as file:
        part = extract_part(file, f"adapters.{name}")
        write_pack(pack, part.manifest, part.tensors)
    store = sakedge.Store.create(folder / "store")
    image = np.zeros((256, 256, 3), np.uint8)
    result = student(image, tasks="edge")
    actions: tuple[Callable[[random.Random], object], ...] = (
        _load,
        lambda chance: student(_or(chance, image), **_some(chance, CALLS)),
        lambda chance: student([_or(chance, image), _or(chance, image)], **_some(chance, CALLS)),
        lambda chance: student.infer(value(chance), logits=value(chance)),
        lambda chance: _stream(student, chance, image),
        lambda chance: student.adapters.swap(_or(chance, name), value(chance)),
        lambda chance: student.adapters.swap(value(chance), _or(chance, pack)),
        lambda chance: student.adapters.swap(_or(chance, name), pack, **_some(chance, SWAPS)),
        lambda chance: student.adapters.add(_or(chance, pack), value(chance)),
        lambda chance: student.adapters.add(pack, f"{name}@x", **_some(chance, ADDS)),
        lambda chance: student.adapters.activate(_or(chance, f"{name}@x")),
        lambda chance: student.adapters.rollback(_or(chance, name)),
        lambda chance: student.adapters.restore(_or(chance, name)),
        lambda chance: student.adapters.remove(_or(chance, f"{name}@x")),
        lambda chance: student.adapters.list(),
        lambda chance: student.follow(_or(chance, store), **_some(chance, FOLLOWS)).close(),
        lambda chance: sakedge.Site.open(value(chance)),
        lambda chance: sakedge.Store.open(_or(chance, store.folder), **_some(chance, OPENS)),
        lambda chance: sakedge.Watch(**_some(chance, WATCHES)),
        lambda chance: store.add(_or(chance, pack), **_some(chance, STORES)),
        lambda chance: store.activate(_or(chance, name), value(chance)),
        lambda chance: store.rollback(value(chance)),
        lambda chance: store.gc(value(chance)),
        lambda chance: value(chance) in student.adapters,
        lambda chance: result[value(chance)],
        lambda chance: result.get(value(chance)),
        lambda chance: result.save(_or(chance, folder), name=value(chance)),
        lambda chance: read(value(chance), _or(chance, "rgb")),
        lambda chance: read_pack(value(chance)),
        lambda chance: StudentFile.open(value(chance)),
    )

    def attempt(chance: random.Random) -> None:
        chance.choice(actions)(chance)

    return attempt


def _load(chance: random.Random) -> None:
    arguments = {"backend": "onnxruntime", "threads": 1, "cache_dir": "", "tasks": "edge"}
    hostile = _some(chance, LOADS)
    if chance.random() < 0.3:
        hostile["config"] = _some(chance, OPTIONS)
    sakedge.load(_or(chance, STUDENT, 0.2), **{**arguments, **hostile}).close()


def _stream(student: sakedge.Student, chance: random.Random, image: object) -> None:
    source = value(chance)
    while isinstance(source, (int, np.integer)):  # a camera, which is waited for
        source = value(chance)
    if chance.random() < 0.5:
        source = [image, source]
    options = _some(chance, STREAMS)
    while callable(options.get("on_error")):  # the caller's own errors are the caller's
        options["on_error"] = value(chance)
    with student.stream(source, **options) as stream:
        list(islice(stream, 3))


def _or(chance: random.Random, good: Any, hostile: float = 0.5) -> Any:
    return value(chance) if chance.random() < hostile else good


def _some(chance: random.Random, names: tuple[str, ...]) -> dict[str, Any]:
    """Hostile values for one or a few arguments."""
    return {name: value(chance) for name in chance.sample(names, chance.choice((0, 1, 1, 2)))}
