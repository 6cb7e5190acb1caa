"""Hostile `student.onnx` files: damaged, contradictory, or signed after they were spoilt.

What is accepted is run; a student whose weights or graph were spoilt under right digests may give
nonsense, but numbers.
"""

from __future__ import annotations

import json
import os
import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from tools.fuzz.mutations import NUMBERS, TEXTS, dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.operators import spoil_graph
from tools.fuzz.targets import Attempt
from tools.fuzz.tiny import write_tiny

import sakedge
from sakedge.format import StudentFile
from sakedge.format.digest import component_digest, graph_digest
from sakedge.format.schema import METADATA_KEY

MOST_ADDRESSES = 8 << 30
"""Bytes; the runtimes reserve some of them without use."""
IMAGE = np.zeros((40, 50, 3), np.uint8)
_MODELS = (("host", "fp32"), ("host", "int8"), ("graph", "fp32"))
_OFFSETS = ("-1", "0", "1", "64", "9" * 19, "9" * 30, "0x10", "\uff11", "\u0663", "1e3", "", " 4")
_VALUES = (np.nan, np.inf, -np.inf, 3e38, -3e38, 1e30, 7e4, 1e-40)


def prepare(folder: Path) -> Attempt:
    """Makes the student, with its weights inside and outside, and what a link may lead to."""
    # A graph may ask a runtime for any amount of memory; it shall not get it from this machine.
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    path = folder / "student.onnx"
    write_tiny(path, external=True)
    outside = path.read_bytes()
    (folder / "link.data").symlink_to("student.onnx.data")
    (folder / "device.data").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.data")
    (folder / "folder.data").mkdir()
    write_tiny(path)
    inside = path.read_bytes()

    def attempt(rng: random.Random) -> None:
        spoil = rng.choice(_WAYS)
        path.write_bytes(spoil(rng, outside if spoil is _spoil_places else inside))
        with StudentFile.open(path) as file:
            for component in file.manifest.components:
                file.component(component)
            file.stem()
        backend = rng.choice(["onnxruntime", "onnxruntime", "openvino"])
        model, precision = rng.choice(_MODELS)
        with sakedge.load(
            path,
            backend=backend,
            precision=precision,
            threads=1,
            cache_dir="",
            config={"model": model},
        ) as student:
            student(IMAGE, fit="pad").to_json()

    return attempt


def _spoil_bytes(rng: random.Random, content: bytes) -> bytes:
    return spoil_bytes(rng, content)


def _spoil_manifest(rng: random.Random, content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    entry = _entry(model)
    if rng.random() < 0.3:
        entry.value = json_bomb(rng, entry.value)
    else:
        manifest = json.loads(entry.value)
        for _ in range(rng.choice([1, 1, 2])):
            spoil_json(rng, manifest)
        entry.value = dumps(manifest)
    return bytes(model.SerializeToString())


def _spoil_tensor(rng: random.Random, content: bytes) -> bytes:
    """What a file says of a tensor: its name, type, shape and bytes."""
    model = onnx.load_from_string(content)
    tensor = rng.choice(model.graph.initializer)
    match rng.randrange(8):
        case 0:
            side = rng.randrange(len(tensor.dims))
            tensor.dims[side] = rng.choice([0, -1, 2**31, 2**62, tensor.dims[side] + 1])
        case 1:
            tensor.dims.extend([1] * rng.randrange(1, 20))
        case 2:
            tensor.data_type = rng.choice([0, 2, 7, 10, 11, 16, 99])
        case 3:
            tensor.raw_data = tensor.raw_data[: rng.choice([0, -1, -4])]
        case 4:
            tensor.name = _encodable(rng.choice(TEXTS))
        case 5:
            model.graph.initializer.add().CopyFrom(tensor)
        case 6:
            tensor.float_data.extend([1.0] * (len(tensor.raw_data) // 4))
        case _:
            model.graph.initializer.remove(tensor)
    return bytes(model.SerializeToString())


def _spoil_values(rng: random.Random, content: bytes) -> bytes:
    """Weights of another kind of number, with the right digests."""
    model = onnx.load_from_string(content)
    for _ in range(rng.choice([1, 1, 20])):
        tensor = rng.choice(model.graph.initializer)
        values = numpy_helper.to_array(tensor).copy()
        count = rng.choice([1, values.size])
        values.reshape(-1)[:count] = np.float32(rng.choice(_VALUES))
        tensor.raw_data = values.tobytes()
    return _signed(model)


def _spoil_graph(rng: random.Random, content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    spoil_graph(rng, model)
    return _signed(model) if rng.random() < 0.9 else bytes(model.SerializeToString())


def _spoil_places(rng: random.Random, content: bytes) -> bytes:
    """Where a file says that its weights lie."""
    model = onnx.load_from_string(content)
    every = list(model.graph.initializer)
    location = rng.choice(
        [*TEXTS, "link.data", "device.data", "pipe.data", "folder.data", "student.onnx"]
    )
    key = rng.choice(["location", "location", "offset", "length"])
    for tensor in every if rng.random() < 0.6 else [rng.choice(every)]:
        for entry in tensor.external_data:
            if entry.key == key:
                entry.value = _encodable(location if key == "location" else rng.choice(_OFFSETS))
        if rng.random() < 0.1:
            tensor.external_data.add(key="offset", value="0")
        if rng.random() < 0.05:
            tensor.raw_data = b"raw"
    return bytes(model.SerializeToString())


def _spoil_versions(rng: random.Random, content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    numbers = [n for n in NUMBERS if isinstance(n, int) and abs(n) < 2**31]
    match rng.randrange(4):
        case 0:
            model.opset_import[0].version = rng.choice([1, 13, 18, 22, 24, 25, 99, -1])
        case 1:
            model.opset_import.add(domain=rng.choice(["", "ai.onnx.ml", "x"]), version=18)
        case 2:
            model.ir_version = int(rng.choice(numbers))
        case _:
            value = model.graph.value_info.add()
            value.CopyFrom(model.graph.output[0])
            value.name = rng.choice(["x0", "x1", "routing.0.edge"])
    return bytes(model.SerializeToString())


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_spoil_bytes, _spoil_bytes, _spoil_manifest, _spoil_manifest, _spoil_tensor, _spoil_values),
    *(_spoil_graph, _spoil_graph, _spoil_places, _spoil_places, _spoil_versions),
)


def _entry(model: Any) -> Any:
    return next(entry for entry in model.metadata_props if entry.key == METADATA_KEY)


def _signed(model: Any) -> bytes:
    """The model with the digests of what it holds now."""
    entry, graph = _entry(model), model.graph
    manifest = json.loads(entry.value)
    parts: dict[str, dict[str, Any]] = {}
    for tensor in graph.initializer:
        parts.setdefault(_component(tensor.name), {})[tensor.name] = numpy_helper.to_array(tensor)
    manifest["digests"] = {name: component_digest(tensors) for name, tensors in parts.items()}
    manifest["stem_lineage"] = manifest["digests"]["stem"]
    manifest["graph_digest"] = graph_digest(
        part.SerializeToString() for part in (*graph.node, *graph.input, *graph.output)
    )
    entry.value = dumps(manifest)
    return bytes(model.SerializeToString())


def _component(tensor: str) -> str:
    group, *names = tensor.split(".")
    at = {"tsap": 0, "norms": 1, "mor": 1, "heads": 0}
    kinds = {"tsap": "adapters", "norms": "adapters", "mor": "routers", "heads": "heads"}
    return "stem" if group == "stem" else f"{kinds[group]}.{names[at[group]]}"


def _encodable(text: str) -> str:
    return text.encode(errors="ignore").decode()
