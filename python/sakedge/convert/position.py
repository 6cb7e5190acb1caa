"""Resamples the position embedding to another input size."""

from __future__ import annotations

import math

import numpy as np

from sakedge.convert.config import PATCH, TrainingConfig
from sakedge.convert.state import Array, Entry
from sakedge.errors import CheckpointError, OptionError

Grid = tuple[int, int]
POSITION = "backbone.vit.pos_embed"


def for_size(
    entry: Entry, training: TrainingConfig, size: tuple[int, int] | None
) -> tuple[Entry, list[str]]:
    """The position embedding for the size asked for, and a note if it was resampled.

    Args:
        entry: As in the checkpoint.
        training: The training's configuration.
        size: Height and width asked for; None keeps the training's.

    Raises:
        CheckpointError: It fits neither the training's size nor a square.
        OptionError: The size is not a multiple of the patch.
    """
    trained = training.size()
    trained_grid = (trained[0] // PATCH, trained[1] // PATCH)
    if len(entry.shape) != 3:
        return entry, []  # its shape is wrong, which the check of all shapes will report
    tokens = entry.shape[1]
    if size is None:
        if tokens != 1 + trained_grid[0] * trained_grid[1]:
            raise CheckpointError(
                "the position embedding does not fit the input size",
                expected=f"1 + {trained_grid[0]} · {trained_grid[1]} tokens for {trained}",
                got=f"{tokens}",
                remedy="Ask for a size, which resamples it, or give the right config.yml",
            )
        return entry, []
    if any(side < PATCH or side % PATCH for side in size):
        raise OptionError(
            "size is wrong", expected=f"two multiples of {PATCH}", got=f"{size[0]} x {size[1]}"
        )
    source = source_grid(tokens, trained_grid)
    target = (size[0] // PATCH, size[1] // PATCH)
    if source == target:
        return entry, []
    shape = (1, 1 + target[0] * target[1], entry.shape[2])
    grids = [f"{rows} x {columns}" for rows, columns in (source, target)]
    note = f"position embedding resampled from {grids[0]} to {grids[1]} tokens"
    return Entry(shape, lambda: resample(entry.read(), source, target)), [note]


def source_grid(tokens: int, trained: Grid) -> Grid:
    """The grid that a position embedding of `tokens` entries was made for.

    Args:
        tokens: Its length, with the class token.
        trained: Rows and columns by the configuration.

    Raises:
        CheckpointError: It is neither that grid nor a square one.
    """
    if tokens == 1 + trained[0] * trained[1]:
        return trained
    side = math.isqrt(max(tokens - 1, 0))
    if side * side != tokens - 1 or side == 0:
        raise CheckpointError(
            "the position embedding fits no grid",
            expected=f"1 + {trained[0]} · {trained[1]} tokens, or 1 + a square",
            got=f"{tokens}",
        )
    return side, side


def resample(embedding: Array, source: Grid, target: Grid) -> Array:
    """Resamples bicubically, as the official training does; the class token's entry is kept.

    Args:
        embedding: [1, 1 + rows · columns, C] on the source grid.
        source: Its rows and columns.
        target: Rows and columns wanted.
    """
    if source == target:
        return embedding
    import torch

    width = embedding.shape[-1]
    grid = torch.from_numpy(embedding[:, 1:]).reshape(1, *source, width).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, size=target, mode="bicubic", align_corners=False)
    patches = grid.permute(0, 2, 3, 1).reshape(1, -1, width).numpy()
    return np.concatenate([embedding[:, :1], patches], axis=1)
