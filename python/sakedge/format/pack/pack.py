"""Adapter packs: one adapter path alone in a file, with what it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sakedge.errors import (
    AdapterMismatchError,
    DigestError,
    ManifestError,
    TensorError,
    UnknownAdapterError,
)
from sakedge.format.digest import component_digest
from sakedge.format.layout import Shapes, adapter_shapes
from sakedge.format.pack.safetensors import read_safetensors, write_safetensors
from sakedge.format.parse import parse
from sakedge.format.student.manifest import (
    FORMAT_VERSION,
    METADATA_KEY,
    NO_DIGEST,
    Architecture,
    Digest,
    Manifest,
)
from sakedge.format.student.reader import StudentFile
from sakedge.tasks import Name

Positive = Annotated[int, Field(ge=1, le=65536)]


class PackManifest(BaseModel):
    """What an adapter pack is and which student it fits.

    Attributes:
        format_version: Version of the file format that the file needs.
        name: Name of the adapter.
        teacher: The teacher it was distilled from.
        version: The maker's own, free text.
        license: Licence of the weights.
        architecture: Sizes of the student it was trained in.
        levels: That student's levels.
        hidden: Width of the adapters' bottleneck.
        routed_tasks: Tasks whose routers get a new expert from this pack; each brings, per level,
            `mor.<level>.<task>.gate.{weight [R, 1], bias [1]}`. Empty for a teacher that the
            student's routers know.
        stem_digest: Digest of the stem it was trained on.
        digest: SHA-256 over the pack's own tensors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(default=FORMAT_VERSION, ge=1)
    name: Name
    teacher: str
    version: str = ""
    license: str | None = None
    architecture: Architecture
    levels: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=16)
    hidden: Positive
    routed_tasks: tuple[Name, ...] = Field(default=(), max_length=256)
    stem_digest: Digest
    digest: Digest = NO_DIGEST

    def shapes(self) -> Shapes:
        """The pack's tensors."""
        shapes = adapter_shapes(self.architecture, self.levels, self.name, self.hidden)
        for task in self.routed_tasks:
            for level in self.levels:
                gate = f"mor.{level}.{task}.gate"
                shapes |= {
                    f"{gate}.weight": (self.architecture.width // 2, 1),
                    f"{gate}.bias": (1,),
                }
        return shapes


@dataclass(frozen=True)
class AdapterPack:
    """A verified adapter pack.

    Attributes:
        manifest: What it is.
        tensors: Its tensors by canonical name, float32 or float16, read-only.
    """

    manifest: PackManifest
    tensors: Mapping[str, NDArray[Any]]

    def check_fits(self, student: Manifest, *, any_stem: bool = False) -> None:
        """Checks that the pack was made for a student.

        Args:
            student: The student's manifest.
            any_stem: Whether another stem of the same sizes will do.

        Raises:
            AdapterMismatchError: It was not.
        """
        ours, theirs = self.manifest, student.architecture
        for what, wanted, got in (
            ("width", theirs.width, ours.architecture.width),
            ("blocks", theirs.blocks, ours.architecture.blocks),
            ("levels", student.levels, ours.levels),
        ):
            if wanted != got:
                raise AdapterMismatchError(
                    f"adapter {ours.name} was made for a student of other {what}",
                    expected=str(wanted),
                    got=str(got),
                )
        if ours.stem_digest != student.digests["stem"] and not any_stem:
            raise AdapterMismatchError(
                f"adapter {ours.name} was trained on another stem",
                expected=f"stem {student.digests['stem']}",
                got=ours.stem_digest,
                remedy="Get the pack made for this student, or allow another stem explicitly",
            )


def extract_adapter(student: StudentFile, name: str, *, version: str = "") -> AdapterPack:
    """Makes a pack of an adapter in a student.

    Raises:
        UnknownAdapterError: The student has no such adapter.
        FileFormatError: The adapter is damaged.
    """
    whole = student.manifest
    info = next((adapter for adapter in whole.adapters if adapter.name == name), None)
    if info is None:
        raise UnknownAdapterError(
            f"{student.path.name} has no adapter {name!r}",
            expected=f"one of {', '.join(whole.adapter_names) or 'none'}",
        )
    tensors = student.component(f"adapters.{name}")
    manifest = PackManifest(
        name=name,
        teacher=info.teacher,
        version=version,
        license=info.license,
        architecture=whole.architecture,
        levels=whole.levels,
        hidden=info.hidden,
        stem_digest=whole.digests["stem"],
        digest=component_digest(tensors),
    )
    return AdapterPack(manifest, tensors)


def read_adapter_pack(path: str | Path) -> AdapterPack:
    """Reads and verifies an adapter pack; its tensors are views of the mapped file.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no adapter pack, or a damaged one; the subclass says how.
    """
    path = Path(path)
    content = read_safetensors(path)
    text = content.metadata.get(METADATA_KEY)
    if text is None:
        raise ManifestError(
            f"{path.name} is safetensors but no adapter pack",
            expected=f"a manifest under {METADATA_KEY!r} in its metadata",
            got=f"metadata {sorted(content.metadata)}",
        )
    manifest = parse(PackManifest, text.encode(), path.name)
    _check_tensors(manifest, content.tensors, path.name)
    found = component_digest(content.tensors)
    if found != manifest.digest:
        raise DigestError(
            f"{path.name} was changed or damaged",
            expected=f"SHA-256 {manifest.digest}",
            got=found,
            remedy="Copy it again",
        )
    _check_values(content.tensors, path.name)
    return AdapterPack(manifest, content.tensors)


def write_adapter_pack(
    path: str | Path, manifest: PackManifest, tensors: Mapping[str, NDArray[Any]]
) -> PackManifest:
    """Writes an adapter pack, whole or not at all, and returns its manifest with the digest.

    Raises:
        TensorError: The tensors are not those that the manifest says, or not finite.
        StorageError: The file cannot be written.
    """
    path = Path(path)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    _check_tensors(manifest, tensors, path.name)
    _check_values(tensors, path.name)
    manifest = manifest.model_copy(update={"digest": component_digest(tensors)})
    write_safetensors(path, tensors, {METADATA_KEY: manifest.model_dump_json()})
    return manifest


def _check_tensors(manifest: PackManifest, tensors: Mapping[str, NDArray[Any]], name: str) -> None:
    shapes = manifest.shapes()
    different = sorted(shapes.keys() ^ tensors.keys())
    if different:
        problem = "lacks" if different[0] in shapes else "holds the surplus"
        raise TensorError(f"{name} {problem} tensor {different[0]}")
    dtypes = {tensor.dtype.name for tensor in tensors.values()}
    if not dtypes <= {"float32", "float16"}:
        raise TensorError(f"{name} holds tensors of {', '.join(sorted(dtypes))}")
    for key, shape in shapes.items():
        if tensors[key].shape != shape:
            raise TensorError(
                f"tensor {key} of {name} contradicts the manifest",
                expected=str(list(shape)),
                got=str(list(tensors[key].shape)),
            )


def _check_values(tensors: Mapping[str, NDArray[Any]], name: str) -> None:
    for key, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise TensorError(f"tensor {key} of {name} holds NaN or infinity")
