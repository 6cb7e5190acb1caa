"""A graph's matrices as [out, in], in a file of the cache.

A student holds them as [in, out]. From that OpenVINO makes its packed bf16 copy by way of a plain
bf16 one, which it keeps: 165 MiB for ViT-B. From [out, in] it packs directly. The transposed
matrices lie in a file, so that they need not stay in memory once they are packed, and may be read
again at any time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends import cache
from sakedge.format import Subgraph

KEPT = 2
"""Files kept; each is as large as the weights of its graph."""
_ALIGNMENT = 64
_LAYOUT = "matrices [out, in], float32, each from a multiple of 64 bytes on"


@dataclass(frozen=True)
class Transposed:
    """The matrices of one graph, mapped, or none.

    Attributes:
        state: Where they lie, or why there are none.
        matrices: By name, read-only [out, in].
        release: Drops the pages read so far; what is touched again is read again.
    """

    state: str
    matrices: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    release: Callable[[], None] = lambda: None


def transposed(subgraph: Subgraph, names: Sequence[str], folder: Path) -> Transposed:
    """The transposed matrices from the cache; they are stored there first if missing.

    Args:
        subgraph: Its weights, of which `names` are float32 matrices.
        names: The matrices wanted.
        folder: Where the file is kept; created if missing.
    """
    key = cache.cache_key(graph=subgraph.digest, layout=_LAYOUT, names=names)
    entry, state = cache.open_entry(folder, key), "transposed, from the cache"
    if entry is None:
        problem = cache.store_pieces(folder, key, _pieces(subgraph, names), KEPT)
        entry, state = cache.open_entry(folder, key), "transposed, stored in the cache"
        if problem or entry is None:
            return Transposed(f"as in the file: {problem or 'the cache lost what was stored'}")
    return Transposed(state, dict(_views(entry.blob, subgraph, names)), entry.release)


def _padded(nbytes: int) -> int:
    return -(-nbytes // _ALIGNMENT) * _ALIGNMENT


def _pieces(subgraph: Subgraph, names: Sequence[str]) -> Iterator[memoryview | bytes]:
    for name in names:
        matrix = np.ascontiguousarray(subgraph.weights[name].T)
        yield matrix.data.cast("B")
        yield bytes(_padded(matrix.nbytes) - matrix.nbytes)


def _views(
    blob: memoryview, subgraph: Subgraph, names: Sequence[str]
) -> Iterator[tuple[str, NDArray[Any]]]:
    start = 0
    for name in names:
        shape = subgraph.weights[name].shape[::-1]
        values = np.frombuffer(blob, np.float32, math.prod(shape), start)
        yield name, values.reshape(shape)
        start += _padded(values.nbytes)
