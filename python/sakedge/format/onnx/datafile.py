"""The file beside a model that holds its weights, where they do not fit into it.

It is named by its content, e.g. `student.0123456789abcdef.data`: a model is replaced together
with its weights by one rename of the model, and a reader of the old one never meets the new
weights.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from sakedge.errors import SakedgeError
from sakedge.files.mapped import MappedFile
from sakedge.files.names import LONGEST, legal_stem
from sakedge.files.temporary import remove_unused
from sakedge.format.onnx.scan import scan_model

_DIGITS = 16
_ENDING = f".{'0' * _DIGITS}.data"


def name_of(path: Path, digest: str) -> str:
    """Name of the data file.

    Args:
        path: The model.
        digest: SHA-256 of the data file, hexadecimal.
    """
    return f"{_stem(path)}.{digest[:_DIGITS]}.data"


def sweep(path: Path) -> None:
    """Removes the data files of earlier versions of a model, which no model refers to.

    A model that cannot be read may refer to any: then all are kept.
    """
    named = re.compile(rf"{re.escape(_stem(path))}\.[0-9a-f]{{{_DIGITS}}}\.data")
    with suppress(OSError, SakedgeError):
        files = sorted(path.parent.iterdir())
        old = {file.name: file for file in files if named.fullmatch(file.name)}
        if not old:
            return
        for file in files:
            # Copies too: a backup may be called `student.onnx.bak`.
            is_model = ".onnx" in file.name or file.name.startswith(path.name)
            if is_model and file.suffix != ".data" and file.is_file():
                old.pop(_referred(file), None)
        for file in old.values():
            remove_unused(file)


def _stem(path: Path) -> str:
    return legal_stem(path.stem, LONGEST - len(_ENDING))


def _referred(path: Path) -> str:
    """Name of the data file that a model refers to; empty if its weights are inside."""
    file = MappedFile(path)
    try:
        file.advise("RANDOM")
        tensors = scan_model(file.data, path.name).tensors.values()
        return next((t.external["location"] for t in tensors if "location" in t.external), "")
    finally:
        file.close()
