"""Writes student.onnx, one tensor at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import ManifestError, TensorError
from sakedge.format.digest import ComponentDigest, graph_digest
from sakedge.format.onnx.model import write_model
from sakedge.format.onnx.serialize import ModelFile, TensorSpec, lay_out
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
        path: Where to write, see `write_model`.
        manifest: What the student is. Its digests are computed here, whatever it states, and so is
            the lineage of a float32 stem; that of another is only known to the caller.
        components: Per component its tensors by canonical name, of the dtype that the manifest's
            storage says. See `format/layout.py` for names and shapes.
        external: Whether the weights go into a file of their own beside it, see `write_model`.
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

    weights = _Weights(manifest, components, progress)
    write_model(path, plan, weights, external=external, finish=weights.write_manifest)
    return weights.manifest


class _Weights:
    """A student's tensors, in the order of the file: each is asked for once, checked and digested.

    Args:
        manifest: What the student is.
        components: Per component its tensors by canonical name.
        progress: Called after each tensor.

    Attributes:
        manifest: What the student is; with its digests once they are written.
    """

    def __init__(
        self, manifest: Manifest, components: Components, progress: Progress | None
    ) -> None:
        self.manifest = manifest
        self._components = components
        self._progress = progress
        self._digests: dict[str, str] = {}

    def __iter__(self) -> Iterator[NDArray[Any]]:
        parts = tensor_specs(self.manifest)
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

    def write_manifest(self, model: BinaryIO, layout: ModelFile) -> None:
        """Writes the manifest in its place, with the digests of the tensors."""
        self.manifest = _with_digests(self.manifest, self._digests)
        model.seek(layout.metadata_offset)
        model.write(self.manifest.model_dump_json().encode())


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
    tensor = np.asarray(tensor, dtype=spec.dtype, order="C")  # which keeps a scalar without axes
    check_values(component, spec.name, tensor)
    return tensor


def _with_digests(manifest: Manifest, digests: Mapping[str, str]) -> Manifest:
    complete = {name: digests.get(name, NO_DIGEST) for name in manifest.components}
    update: dict[str, Any] = {"digests": complete}
    if manifest.storage.stem == "fp32":
        update["stem_lineage"] = complete["stem"]
    return manifest.model_copy(update=update)
