"""Writes student.onnx, one tensor at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import ManifestError, StorageError, TensorError
from sakedge.files.atomic import atomic_write, draft, storage_error
from sakedge.files.targets import check_target, followed, is_link
from sakedge.format.digest import ComponentDigest, as_bytes, graph_digest
from sakedge.format.onnx.serialize import ALIGNMENT, ONNX_LIMIT, ModelFile, TensorSpec, lay_out
from sakedge.format.parse import parse, read_fields
from sakedge.format.schema import METADATA_KEY, NO_DIGEST
from sakedge.format.student import datafile
from sakedge.format.student.graph import student_graph, tensor_specs
from sakedge.format.student.manifest import STUDENT, Manifest
from sakedge.format.values import check_values
from sakedge.progress import Progress

Components = Mapping[str, Mapping[str, NDArray[Any]]]


def write_student(
    path: str | Path,
    manifest: Manifest,
    components: Components,
    *,
    external: bool | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Writes a student.

    Each tensor is asked for once, checked, written, digested and released, so that a lazy mapping
    needs no more memory than its largest tensor.

    Args:
        path: Where to write; replaced atomically. Of a link the file that it points to, unless the
            weights go beside it: those would be looked for beside the link.
        manifest: What the student is. Its digests are computed here, whatever it states, and so is
            the lineage of a float32 stem; that of another is only known to the caller.
        components: Per component its tensors by canonical name, of the dtype that the manifest's
            storage says. See `format/layout.py` for names and shapes.
        external: Whether the weights go into a file of their own beside it, see `datafile`; by
            default only when the file would be larger than ONNX allows (2 GB).
        progress: Called after each tensor.

    Returns:
        The manifest with its digests.

    Raises:
        ManifestError: The manifest is not one that can be read, or the stem is not float32 and it
            states no lineage.
        TensorError: A tensor is missing, has the wrong shape or dtype, or holds a value that is not
            finite or too large to be used.
        StorageError: The file cannot be written.
    """
    path = Path(path)
    if manifest.storage.stem != "fp32" and manifest.stem_lineage == NO_DIGEST:
        raise ManifestError(
            f"the manifest for {path.name} states no stem_lineage",
            expected="the digest of the float32 stem",
            remedy="Take it from the float32 student, or digest the stem before it is rounded",
        )
    graph = student_graph(manifest)
    graph_sha = graph_digest(part for _, part in graph.parts())
    manifest = manifest.model_copy(update={"graph_digest": graph_sha})
    text = _with_digests(manifest, {}).model_dump_json()
    parse(STUDENT, read_fields(text.encode(), path.name), path.name)  # as its reader will
    metadata = (METADATA_KEY, text)
    producer = manifest.provenance.tool

    def plan(location: str | None) -> ModelFile:
        return lay_out(graph, metadata=metadata, producer=producer, location=location)

    layout = plan(None)
    weights = _Weights(manifest, components, progress)
    if layout.size > ONNX_LIMIT if external is None else external:
        return _write_apart(path, weights, plan)
    path = followed(path)
    with atomic_write(path) as model:
        model.write(layout.head)
        for place, tensor in zip(layout.places, weights, strict=True):
            model.write(place.before)
            model.write(as_bytes(tensor))
        manifest = weights.write_manifest(model, layout)
    datafile.sweep(path)
    return manifest


def _write_apart(
    path: Path, weights: _Weights, plan: Callable[[str | None], ModelFile]
) -> Manifest:
    """Writes the weights, under a name that no other weights have, and then the model.

    Until the model is renamed over the old one, that one and its weights are whole.
    """
    if is_link(path):
        raise StorageError(
            f"cannot write {path}: it is a link, and the weights belong beside the file",
            remedy="Give the path of the file itself",
        )
    check_target(path)
    try:
        with draft(path.parent) as data:
            digest = hashlib.sha256()
            for tensor in weights:
                for piece in (as_bytes(tensor), bytes(-tensor.nbytes % ALIGNMENT)):
                    data.file.write(piece)
                    digest.update(piece)
            name = datafile.name_of(path, digest.hexdigest())
            data.place(path.with_name(name))
            layout = plan(name)
            with atomic_write(path) as model:
                model.write(layout.head)
                for place in layout.places:
                    model.write(place.before)
                manifest = weights.write_manifest(model, layout)
    except OSError as error:
        raise storage_error("cannot write", path, error) from error
    finally:
        datafile.sweep(path)
    return manifest


class _Weights:
    """A student's tensors, in the order of the file: each is asked for once, checked and digested.

    Args:
        manifest: What the student is.
        components: Per component its tensors by canonical name.
        progress: Called after each tensor.
    """

    def __init__(
        self, manifest: Manifest, components: Components, progress: Progress | None
    ) -> None:
        self._manifest = manifest
        self._components = components
        self._progress = progress
        self._digests: dict[str, str] = {}

    def __iter__(self) -> Iterator[NDArray[Any]]:
        parts = tensor_specs(self._manifest)
        done, total = 0, sum(map(len, parts.values()))
        for component, specs in parts.items():
            digest = ComponentDigest()
            for spec in specs:
                tensor = _checked(self._components, component, spec)
                yield tensor
                digest.add(spec.name, tensor)
                done += 1
                if self._progress is not None:
                    self._progress("writing", done / total)
            self._digests[component] = digest.hexdigest()

    def write_manifest(self, model: BinaryIO, layout: ModelFile) -> Manifest:
        """Writes the manifest in its place, with the digests of the tensors, and returns it."""
        manifest = _with_digests(self._manifest, self._digests)
        model.seek(layout.metadata_offset)
        model.write(manifest.model_dump_json().encode())
        return manifest


def _checked(components: Components, component: str, spec: TensorSpec) -> NDArray[Any]:
    try:
        tensor = components[component][spec.name]
    except KeyError:
        raise TensorError(f"tensor {spec.name} of {component} is missing") from None
    expected = f"{spec.dtype} {list(spec.shape)}"
    got = f"{tensor.dtype.name} {list(tensor.shape)}"
    if got != expected:
        raise TensorError(
            f"tensor {spec.name} does not fit the manifest", expected=expected, got=got
        )
    tensor = np.ascontiguousarray(tensor, dtype=spec.dtype)
    check_values(component, f"tensor {spec.name}", tensor)
    return tensor


def _with_digests(manifest: Manifest, digests: Mapping[str, str]) -> Manifest:
    complete = {name: digests.get(name, NO_DIGEST) for name in manifest.components}
    update: dict[str, Any] = {"digests": complete}
    if manifest.storage.stem == "fp32":
        update["stem_lineage"] = complete["stem"]
    return manifest.model_copy(update=update)
