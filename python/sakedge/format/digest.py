"""SHA-256 of tensors and of a graph, and the bytes that are digested."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ComponentDigest:
    """Digest of named tensors: per tensor its name, dtype, shape and little-endian bytes.

    Tensors are added in ascending order of name, so that the digest does not depend on the order
    in a file, and one pass over the weights both writes and digests them.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._last = ""

    def add(self, name: str, tensor: NDArray[Any]) -> None:
        """Adds one C-contiguous tensor."""
        if name <= self._last:
            raise ValueError(f"{name} comes after {self._last}: not in ascending order")
        self._last = name
        shape = "x".join(str(side) for side in tensor.shape)
        self._hash.update(f"{name}\0{tensor.dtype.name}\0{shape}\0".encode())
        self._hash.update(as_bytes(tensor))

    def hexdigest(self) -> str:
        """The digest of what was added so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()


def component_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """Digest of a component's tensors."""
    digest = ComponentDigest()
    for name in sorted(tensors):
        digest.add(name, tensors[name])
    return digest.hexdigest()


def graph_digest(parts: Iterable[bytes | memoryview]) -> str:
    """Digest of a graph's serialized parts in order, each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, no blanks, UTF-8.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def as_bytes(tensor: NDArray[Any]) -> memoryview:
    """A tensor's bytes as ONNX and safetensors store them, without a copy where possible."""
    little = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data
