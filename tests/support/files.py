"""Damaged files and folders without permissions, to test the reading of files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx

from sakedge.format import StudentFile
from sakedge.format.digest import graph_digest
from sakedge.format.schema import METADATA_KEY

Edit = Callable[[dict[str, Any]], None]
NOBODY = 65534


@contextmanager
def without_rights(path: Path) -> Iterator[None]:
    """Removes all permissions of a file or folder, also for root, which would otherwise ignore
    them."""
    mode = path.stat().st_mode & 0o777
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(mode)


def edit_model(source: Path, target: Path, edit: Callable[[Any], None]) -> Path:
    """Writes `source` to `target` with its ONNX model edited."""
    model = onnx.load(source)
    edit(model)
    target.write_bytes(model.SerializeToString())
    return target


def edit_manifest(source: Path, target: Path, edit: Edit) -> Path:
    """Writes `source` to `target` with its manifest edited as JSON."""

    def rewrite(model: Any) -> None:
        entry = next(entry for entry in model.metadata_props if entry.key == METADATA_KEY)
        manifest = json.loads(entry.value)
        edit(manifest)
        entry.value = json.dumps(manifest)

    return edit_model(source, target, rewrite)


def set_field(*keys: str | int, value: Any) -> Edit:
    """An edit of a manifest: the field at this path gets a value."""

    def edit(manifest: dict[str, Any]) -> None:
        part: Any = manifest
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value

    return edit


def read_all(path: Path) -> None:
    """Reads everything in a student."""
    with StudentFile.open(path) as file:
        for name in file.manifest.components:
            file.component(name)
        file.stem()


def as_version_1(manifest: dict[str, Any]) -> None:
    """Rewrites a manifest whose weights are all stored alike as format version 1 had it."""
    manifest["format_version"] = 1
    manifest["precision"] = {"weights": manifest.pop("storage")["stem"]}
    for added in ("requires", "stem_lineage", "quality"):
        del manifest[added]


def sign_graph(model: Any) -> None:
    """Updates the manifest's digest of the graph to the current graph."""
    graph = model.graph
    parts = [part.SerializeToString() for part in (*graph.node, *graph.input, *graph.output)]
    entry = next(entry for entry in model.metadata_props if entry.key == METADATA_KEY)
    manifest = json.loads(entry.value)
    manifest["graph_digest"] = graph_digest(parts)
    entry.value = json.dumps(manifest)


def initializer(model: Any, name: str) -> Any:
    """A model's initializer by name."""
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)
