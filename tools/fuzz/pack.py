"""Hostile part packs: damaged, contradictory, or signed after they were spoilt, and swapped in."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save
from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt
from tools.fuzz.tiny import write_tiny

import sakedge
from sakedge.format import PartManifest, StudentFile, extract_part, read_pack, write_pack
from sakedge.format.digest import component_digest
from sakedge.format.schema import METADATA_KEY

IMAGE = np.zeros((40, 50, 3), np.uint8)
_METADATA = "__metadata__"
_VALUES = (np.nan, np.inf, -np.inf, 3e38, -3e38, 1e30, 7e4, 1e-40)


def prepare(folder: Path) -> Attempt:
    """Makes packs of each kind, and loads the students that they are swapped into."""
    write_tiny(folder / "student.onnx")
    packs = []
    with StudentFile.open(folder / "student.onnx") as file:
        router = extract_part(file, "routers.edge")
        for component in ("adapters.sam", "adapters.sam", "routers.edge", "heads.edge"):
            for storage in ("fp32", "int8"):
                part = extract_part(file, component, version="1", storage=storage)
                packs.append(_written(folder, part.manifest, part.tensors))
        part = extract_part(file, "adapters.sam")
        retrained = {"retrained_tasks": ("edge",), "experts": ("sam", "dino")}
        manifest = part.manifest.model_copy(update={**retrained, "requires": ("routers",)})
        packs.append(_written(folder, manifest, {**part.tensors, **router.tensors}))
    students = [
        sakedge.load(
            folder / "student.onnx",
            backend="onnxruntime",
            precision=precision,
            threads=1,
            cache_dir="",
        )
        for precision in ("fp32", "int8")
    ]
    path = folder / "pack.safetensors"

    def attempt(rng: random.Random) -> None:
        path.write_bytes(rng.choice(_WAYS)(rng, rng.choice(packs)))
        read_pack(path)
        student = rng.choice(students)
        student.adapters.swap("sam", path, any_stem=True)
        student(IMAGE, fit="pad", tasks=["edge"]).to_json()

    return attempt


def _written(folder: Path, manifest: PartManifest, tensors: Mapping[str, NDArray[Any]]) -> bytes:
    write_pack(folder / "sound.safetensors", manifest, tensors)
    return (folder / "sound.safetensors").read_bytes()


def _spoil_header(rng: random.Random, content: bytes) -> bytes:
    def spoil(header: dict[str, Any]) -> str:
        if rng.random() < 0.3:
            return json_bomb(rng, dumps(header))
        spoil_json(rng, header)
        return dumps(header)

    return _with_header(content, spoil)


def _spoil_manifest(rng: random.Random, content: bytes) -> bytes:
    def spoil(header: dict[str, Any]) -> str:
        text = header[_METADATA][METADATA_KEY]
        if rng.random() < 0.3:
            text = json_bomb(rng, text)
        else:
            manifest = json.loads(text)
            spoil_json(rng, manifest)
            text = dumps(manifest)
        header[_METADATA][METADATA_KEY] = text
        return dumps(header)

    return _with_header(content, spoil)


def _spoil_values(rng: random.Random, content: bytes) -> bytes:
    """Weights of another kind of number, with the right digest."""
    tensors, manifest = load(content), _manifest(content)
    for _ in range(rng.choice([1, 20])):
        name = rng.choice(sorted(tensors))
        values = tensors[name].copy()
        if values.dtype == np.int8:
            values.reshape(-1)[0] = rng.choice((-128, 127))
        else:
            values.reshape(-1)[: rng.choice([1, values.size])] = np.float32(rng.choice(_VALUES))
        tensors[name] = values
    if rng.random() < 0.2:
        tensors = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    manifest["digest"] = component_digest(tensors)
    return bytes(save(tensors, {METADATA_KEY: dumps(manifest)}))


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_header, _spoil_manifest, _spoil_manifest, _spoil_values),
)


def _header(content: bytes) -> dict[str, Any]:
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    return header


def _manifest(content: bytes) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(_header(content)[_METADATA][METADATA_KEY])
    return manifest


def _with_header(content: bytes, edit: Callable[[dict[str, Any]], str]) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    text = edit(_header(content)).encode(errors="surrogatepass")
    return struct.pack("<Q", len(text)) + text + content[8 + length :]
