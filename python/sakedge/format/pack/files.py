"""Reads and writes packs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import DigestError, ManifestError, TensorError
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import file_path
from sakedge.format.digest import canonical_json, component_digest
from sakedge.format.pack.manifest import PACK, PartManifest
from sakedge.format.pack.part import PartPack
from sakedge.format.pack.safetensors import read_safetensors, write_safetensors
from sakedge.format.parse import parse, read_fields
from sakedge.format.schema import METADATA_KEY
from sakedge.format.values import check_values


def read_pack(path: str | Path) -> PartPack:
    """Reads and verifies a pack; its tensors are views of the mapped file.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is not a pack, or is damaged; the subclass names the cause.
        OptionError: `path` is no path.
    """
    path = file_path("a pack", path)
    return read_pack_content(MappedFile(path).data, path.name)


def read_pack_content(content: memoryview, name: str) -> PartPack:
    """Reads and verifies a pack that is in memory; its tensors are views of it.

    Args:
        content: The whole file.
        name: What to call it in errors.

    Raises:
        FileFormatError: It is not a pack, or is damaged; the subclass names the cause.
    """
    found = read_safetensors(memoryview(content).toreadonly(), name)
    text = found.metadata.get(METADATA_KEY)
    if text is None:
        raise ManifestError(
            f"{name} is safetensors but not a part pack",
            expected=f"a manifest under {METADATA_KEY!r} in its metadata",
            got=f"metadata {sorted(found.metadata)}",
        )
    manifest = parse(PACK, read_fields(text.encode(), name), name)
    _check_tensors(manifest, found.tensors, name)
    digest = component_digest(found.tensors)
    if digest != manifest.digest:
        raise DigestError(
            f"{name} was changed or damaged",
            expected=f"SHA-256 {manifest.digest}",
            got=digest,
            remedy="Copy it again",
        )
    for key, tensor in found.tensors.items():
        check_values(manifest.component, key, tensor, name)
    file_digest = hashlib.sha256(canonical_json(found.metadata)).hexdigest()
    return PartPack(manifest, found.tensors, file_digest)


def write_pack(
    path: str | Path, manifest: PartManifest, tensors: Mapping[str, NDArray[Any]]
) -> PartManifest:
    """Writes a pack atomically and returns its manifest with the digest.

    Raises:
        ManifestError: The manifest is not one that can be read.
        TensorError: The tensors are not those that the manifest says, not finite, or too large to
            be used.
        StorageError: The file cannot be written.
    """
    path = file_path("a pack", path)
    tensors = {
        name: np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("="))
        for name, tensor in tensors.items()
    }
    text = manifest.model_dump_json().encode()
    parse(PACK, read_fields(text, path.name), path.name)  # as its reader will
    _check_tensors(manifest, tensors, path.name)
    for key, tensor in tensors.items():
        check_values(manifest.component, key, tensor)
    manifest = manifest.model_copy(update={"digest": component_digest(tensors)})
    write_safetensors(path, tensors, {METADATA_KEY: manifest.model_dump_json()})
    return manifest


def _check_tensors(manifest: PartManifest, tensors: Mapping[str, NDArray[Any]], name: str) -> None:
    stored = manifest.stored()
    different = sorted(stored.keys() ^ tensors.keys())
    if different:
        problem = "lacks" if different[0] in stored else "holds the surplus"
        raise TensorError(f"{name} {problem} tensor {different[0]}")
    for key, (dtype, shape) in stored.items():
        able = ("float32", "float16") if manifest.storage is None else (dtype,)
        found = tensors[key]
        if found.dtype.name not in able or found.shape != shape:
            raise TensorError(
                f"tensor {key} of {name} contradicts the manifest",
                expected=f"{' or '.join(able)} {list(shape)}",
                got=f"{found.dtype.name} {list(found.shape)}",
            )
