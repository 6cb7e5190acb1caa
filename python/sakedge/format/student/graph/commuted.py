"""A head's map with its convolution before the upsampling (docs/algebra.md, section 1).

The same numbers as `heads.py` writes, with a sixteenth of its products, in operators that every
runtime has: the taps are matrix products over the tokens; upsampling them and adding them up is a
product with a constant matrix per axis, first along the rows, then along the columns. Channels come
last, so that nothing but the map itself is transposed, and in pieces, so that the map of all C
channels, 48 MiB for ViT-B at 512 x 512, never exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format.onnx.builder import GraphBuilder

MOST_CHANNELS = 192
"""Of a piece. Twice as many take more memory than the map as the paper states it; half as many are
slower, as the products get small."""

Tensors = Mapping[str, NDArray[Any]]


def pieces(width: int) -> list[slice]:
    """The channels of each piece: as even as multiples of 16 can be."""
    count = -(-width // MOST_CHANNELS)
    size = -(-width // (16 * count)) * 16
    return [slice(start, min(start + size, width)) for start in range(0, width, size)]


def axis_tensors(grid: tuple[int, int], factor: int) -> dict[str, NDArray[np.float32]]:
    """The constant matrices of both axes, [f·n, 3·n].

    Args:
        grid: Rows and columns of the patch tokens.
        factor: f, how often the map at a quarter of the input's size has as many.
    """
    rows, columns = (_interpolation(n, factor) for n in grid)
    # Along the columns a token's three taps lie side by side, along the rows tap by tap.
    return {
        "interpolate.rows": rows.reshape(len(rows), -1),
        "interpolate.columns": columns.swapaxes(1, 2).reshape(len(columns), -1),
    }


def head_tensors(task: str, tensors: Tensors) -> dict[str, NDArray[Any]]:
    """A head's weights as this form wants them; the same values in another order.

    Args:
        task: Name of the task.
        tensors: The head's, by canonical name.
    """
    head = f"heads.{task}"
    fuse, last = tensors[f"{head}.fuse.weight"], tensors[f"{head}.last.weight"]
    scales = tensors.get(f"{head}.fuse.weight.scale")
    found = {name: value for name, value in tensors.items() if name.startswith(f"{head}.linears.")}
    found[f"{head}.last.bias"] = tensors[f"{head}.last.bias"]
    for i, channels in enumerate(pieces(len(fuse))):
        for dy in range(3):
            # [out, in, dx] to [in, dx · out]
            taps = fuse[channels, :, dy].transpose(1, 2, 0)
            found[f"{head}.taps.{i}.{dy}"] = np.ascontiguousarray(taps.reshape(len(taps), -1))
            if scales is not None:
                found[f"{head}.taps.{i}.{dy}.scale"] = np.tile(scales[channels], 3)
        found[f"{head}.fuse.bias.{i}"] = tensors[f"{head}.fuse.bias"][channels]
        found[f"{head}.last.weight.{i}"] = np.ascontiguousarray(last[:, channels, 0, 0].T)
    return found


def add_commuted_map(
    graph: GraphBuilder, task: str, z: str, grid: tuple[int, int], width: int, factor: int
) -> str:
    """Adds a head's map; returns `heads.<task>.last`, [B, classes, H/4, W/4].

    Args:
        graph: Where it goes; its weights are those of `head_tensors` and `axis_tensors`.
        task: Name of the task.
        z: The head's reduced mixtures, [B, L, C].
        grid: Rows and columns of the patch tokens.
        width: C.
        factor: As for `axis_tensors`.
    """
    head = f"heads.{task}"
    total = ""
    for i, channels in enumerate(pieces(width)):
        scores = _add_piece(graph, f"{head}.piece.{i}", head, i, z, grid, channels, factor)
        total = graph.add("Add", [total, scores], f"{head}.sum.{i}") if total else scores
    biased = graph.add("Add", [total, graph.weight(f"{head}.last.bias")], f"{head}.scores")
    return graph.add("Transpose", [biased], f"{head}.last", perm=[0, 3, 1, 2])


def _add_piece(
    graph: GraphBuilder,
    name: str,
    head: str,
    i: int,
    z: str,
    grid: tuple[int, int],
    channels: slice,
    factor: int,
) -> str:
    """What a piece of the channels adds to the scores of the classes, [B, H/4, W/4, classes]."""
    (h, w), c = grid, channels.stop - channels.start
    taps = [
        graph.add("MatMul", [z, graph.weight(f"{head}.taps.{i}.{dy}")], f"{name}.taps.{dy}")
        for dy in range(3)
    ]
    low = graph.add("Concat", taps, f"{name}.low", axis=1)
    by_row = graph.constant(f"const.by_row.{c}", [0, 3 * h, w * 3 * c])
    low = graph.add("Reshape", [low, by_row], f"{name}.low.rows")
    tall = graph.add("MatMul", [graph.weight("interpolate.rows"), low], f"{name}.tall")
    by_column = graph.constant(f"const.by_column.{c}", [0, factor * h, w * 3, c])
    tall = graph.add("Reshape", [tall, by_column], f"{name}.tall.columns")
    y = graph.add("MatMul", [graph.weight("interpolate.columns"), tall], f"{name}.fuse.sum")
    y = graph.add("Add", [y, graph.weight(f"{head}.fuse.bias.{i}")], f"{name}.fuse")
    y = graph.gelu(y, f"{name}.gelu")
    return graph.add("MatMul", [y, graph.weight(f"{head}.last.weight.{i}")], f"{name}.scores")


def _interpolation(n: int, factor: int) -> NDArray[np.float32]:
    """Bilinear upsampling along one axis, followed by each of three taps: [f·n, 3, n].

    Entry (u, d, i) is the weight of token i at position u + d - 1; a position outside has none,
    which is the convolution's zero padding. Inside, positions are clamped to the tokens.
    """
    length = factor * n
    at = np.clip((np.arange(length) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.floor(at).astype(np.int64)
    share, every = at - low, np.arange(length)
    upsampled = np.zeros((length + 2, n))
    upsampled[every + 1, low] += 1 - share
    upsampled[every + 1, np.minimum(low + 1, n - 1)] += share
    taps = [upsampled[d : d + length] for d in range(3)]
    return np.ascontiguousarray(np.stack(taps, axis=1), np.float32)
