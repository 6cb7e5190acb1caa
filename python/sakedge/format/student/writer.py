"""Writes student.onnx, one tensor at a time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import ManifestError, TensorError
from sakedge.files.atomic import atomic_write
from sakedge.format.digest import ComponentDigest, as_bytes, graph_digest
from sakedge.format.onnx.serialize import ALIGNMENT, ONNX_LIMIT, ModelFile, TensorSpec, lay_out
from sakedge.format.parse import parse, read_fields
from sakedge.format.schema import METADATA_KEY, NO_DIGEST
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
        path: Where to write; replaced atomically.
        manifest: What the student is. Its digests are computed here, whatever it states, and so is
            the lineage of a float32 stem; that of another is only known to the caller.
        components: Per component its tensors by canonical name, of the dtype that the manifest's
            storage says. See `format/layout.py` for names and shapes.
        external: Whether the weights go into `<name>.data` beside the file; by default only when
            the file would be larger than ONNX allows (2 GB).
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
    if external is None:
        external = layout.size > ONNX_LIMIT
    data_path = path.with_name(f"{path.name}.data")
    if external:
        layout = plan(data_path.name)

    # Both files are complete before either takes its place; the weights come first.
    with atomic_write(path) as model, _data_file(data_path if external else None) as data:
        digests = _write_weights(model, data, layout, manifest, components, progress)
        manifest = _with_digests(manifest, digests)
        model.seek(layout.metadata_offset)
        model.write(manifest.model_dump_json().encode())
        model.flush()
    return manifest


def _data_file(path: Path | None) -> AbstractContextManager[BinaryIO | None]:
    return nullcontext() if path is None else atomic_write(path)


def _write_weights(
    model: BinaryIO,
    data: BinaryIO | None,
    layout: ModelFile,
    manifest: Manifest,
    components: Components,
    progress: Progress | None,
) -> dict[str, str]:
    """Writes the model around and between the weights, and the weights; returns the digests."""
    model.write(layout.head)
    places = iter(layout.places)
    digests: dict[str, str] = {}
    done, total = 0, len(layout.places)
    for component, specs in tensor_specs(manifest).items():
        digest = ComponentDigest()
        for spec in specs:
            place = next(places)
            tensor = _checked(components, component, spec)
            model.write(place.before)
            if data is None:
                model.write(as_bytes(tensor))
            else:
                data.write(as_bytes(tensor))
                data.write(bytes(-tensor.nbytes % ALIGNMENT))
            digest.add(spec.name, tensor)
            done += 1
            if progress is not None:
                progress("writing", done / total)
        digests[component] = digest.hexdigest()
    return digests


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
