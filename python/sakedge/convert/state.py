"""Opens a torch checkpoint as named tensors that are read one at a time."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import CheckpointError, StorageError
from sakedge.progress import Progress

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Entry:
    """One tensor of a state dict, not read yet.

    Attributes:
        shape: Its shape.
        read: Reads it as float32.
    """

    shape: tuple[int, ...]
    read: Callable[[], Array]


Entries = dict[str, Entry]


def open_checkpoint(path: Path) -> Entries:
    """Opens a checkpoint: `torch.save` of a dict with key `model`, or of a bare state dict.

    The file is mapped, so that a tensor takes memory only while it is in use, and unpickled with
    `weights_only=True`, so that nothing in it is run.

    Raises:
        StorageError: The file cannot be read.
        CheckpointError: It is not a checkpoint, is damaged, or holds code.
    """
    content = _load(path)
    state = content.get("model", content) if isinstance(content, dict) else content
    import torch

    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise CheckpointError(
            f"{path.name} holds no state dict",
            expected="tensors by name, or a dict that has them under `model`",
            got=_kinds(state),
        )
    return {key: _entry(value) for key, value in state.items()}


def _load(path: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise CheckpointError(
            "reading a checkpoint needs torch", remedy="Run: pip install 'sakedge[convert]'"
        ) from error
    try:
        with path.open("rb") as file:
            # Only the zip form can be mapped; torch 1.5 and older wrote another.
            is_zip = file.read(2) == b"PK"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints for direct callers of torch.load
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip or None)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:
        # On bytes that are not a pickle, torch's unpickler may raise anything.
        refused = re.search(r"unsupported global(?:: GLOBAL)? (\S+)", str(error), re.IGNORECASE)
        if refused is None:
            raise _damaged(path, error) from error
        raise CheckpointError(
            f"{path.name} holds more than weights: loading it would run code",
            expected="tensors, numbers and strings only",
            got=f"a use of {refused[1]}",
            remedy="Save the model's state_dict() alone",
        ) from error


def _damaged(path: Path, error: Exception) -> CheckpointError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch explains at length how to load unsafe files; the cause, if it is said, comes later.
    causes = [line for line in lines if line.startswith(("PytorchStreamReader", "Unsupported"))]
    return CheckpointError(
        f"{path.name} is not a torch checkpoint, or is damaged",
        got=(causes or [type(error).__name__])[0][:200],
        remedy="Check the path, or copy the file again",
    )


def _kinds(state: Any) -> str:
    if not isinstance(state, dict):
        return type(state).__name__
    wrong = next(
        (key for key, value in state.items() if type(value).__name__ != "Tensor"), "no tensor"
    )
    return f"{type(state.get(wrong)).__name__} under {wrong!r}"


def _entry(tensor: Any) -> Entry:
    return Entry(tuple(tensor.shape), lambda: tensor.detach().float().numpy())


def read_checked(entries: Entries, key: str) -> Array:
    """Reads an entry.

    Raises:
        CheckpointError: A value is NaN or infinite.
    """
    values = entries[key].read()
    if not np.isfinite(values).all():
        raise CheckpointError(f"{key} holds NaN or infinity", remedy="Check the training")
    return values


def file_sha256(path: Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file."""
    digest, done = hashlib.sha256(), 0
    total = path.stat().st_size
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 22):
                digest.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress("reading", done / total)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    return digest.hexdigest()
