"""Writes a model file, one tensor at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from sakedge.errors import StorageError
from sakedge.files.atomic import atomic_write, draft, storage_error
from sakedge.files.targets import check_target, followed, is_link
from sakedge.format.digest import as_bytes
from sakedge.format.onnx import datafile
from sakedge.format.onnx.serialize import ALIGNMENT, ONNX_LIMIT, ModelFile

Finish = Callable[[BinaryIO, ModelFile], None]


def write_model(
    path: Path,
    plan: Callable[[str | None], ModelFile],
    tensors: Iterable[NDArray[Any]],
    *,
    external: bool | None = None,
    finish: Finish = lambda model, layout: None,
) -> tuple[Path, ...]:
    """Writes a model; what was there is replaced atomically.

    Args:
        path: Where to write. Of a link the file that it points to, unless the weights go beside it:
            those would be looked for beside the link.
        plan: Lays the model out, given the plain name of the file that holds its weights or None.
        tensors: The weights, in the order of the layout; gone through once.
        external: Whether the weights go into a file of their own beside it, see `datafile`; by
            default only when the file would be larger than ONNX allows (2 GB).
        finish: Called when all weights are written, to write what depends on them.

    Returns:
        The files written, the model first.

    Raises:
        StorageError: The file cannot be written.
    """
    layout = plan(None)
    if layout.size > ONNX_LIMIT if external is None else external:
        return _write_apart(path, plan, tensors, finish)
    path = followed(path)
    with atomic_write(path) as model:
        model.write(layout.head)
        for place, tensor in zip(layout.places, tensors, strict=True):
            model.write(place.before)
            model.write(as_bytes(tensor))
        finish(model, layout)
    datafile.sweep(path)
    return (path,)


def _write_apart(
    path: Path,
    plan: Callable[[str | None], ModelFile],
    tensors: Iterable[NDArray[Any]],
    finish: Finish,
) -> tuple[Path, ...]:
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
            for tensor in tensors:
                for piece in (as_bytes(tensor), bytes(-tensor.nbytes % ALIGNMENT)):
                    data.file.write(piece)
                    digest.update(piece)
            beside = path.with_name(datafile.name_of(path, digest.hexdigest()))
            data.place(beside)
            layout = plan(beside.name)
            with atomic_write(path) as model:
                model.write(layout.head)
                for place in layout.places:
                    model.write(place.before)
                finish(model, layout)
    except OSError as error:
        raise storage_error("cannot write", path, error) from error
    finally:
        datafile.sweep(path)
    return (path, beside)
