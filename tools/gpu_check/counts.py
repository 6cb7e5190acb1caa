"""Operations, bytes and launches of a student on a GPU, stage by stage, as our kernels do them.

The residual streams x and r are float32, everything that a product reads has 16 bits (8 where the
product is in int8), logits are float32. Bytes are what a launch reads and writes once, its weights
once per launch; what a cache keeps from one launch to the next is not taken off. Pointwise work is
counted in instructions of one thread, to a tenth or two; constants that every thread loads or
computes (addresses, loops) are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.gpu_check.geometry import Geometry

# Instructions for one value, from the PTX of the device functions in csrc/cuda/kernels.
GELU = 8
"""A polynomial and an exponential, csrc/cuda/kernels/gelu.h."""
NORM = 8
"""A LayerNorm in two passes: sum, square, scale, shift, a conversion, their share of the sums."""
SOFTMAX = 8
"""Bound by the exponential: 16 per cycle of a multiprocessor that begins 128 instructions."""
EXPAND = 10
"""Of a value by csrc/cuda/kernels/head_expand.h, beside its products: GELU, rounding, loads."""
EXPAND_MACS = 96
"""Of a value: three columns of cells, of each 27 taps in two products of 16."""


@dataclass(frozen=True)
class Stage:
    """Launches of one kind.

    Attributes:
        name: Of the kernel, or the layer that it computes.
        launches: How many, all alike but for their depth.
        macs: Multiply-accumulates in tensor cores, of all launches.
        weights: Weights in bytes.
        data: Bytes of activations read and written.
        pointwise: Instructions of one thread.
        int8: Whether the products are in int8.
        product: m, n of one launch and how many of that size it computes at once; None: it fills
            the device by other means.
    """

    name: str
    launches: int
    macs: int = 0
    weights: int = 0
    data: int = 0
    pointwise: int = 0
    int8: bool = False
    product: tuple[int, int, int] | None = None


def stages(g: Geometry, arithmetic: str = "f16", multiprocessors: int = 132) -> list[Stage]:
    """All launches of one call, in the order of the stem and then of what follows.

    Args:
        g: The student and the call.
        arithmetic: `f16` (`bf16` counts the same), or `s8`: in int8 what reads a LayerNorm, whose
            kernel rounds in passing, and the taps.
        multiprocessors: Of the device, an H100's unless given: the taps of many tasks and images
            are computed and expanded in so many at a time as fill it.
    """
    int8 = arithmetic == "s8"
    return [*_stem(g, int8), *_paths(g), *_heads(g, int8, _chunks(g, multiprocessors))]


def launches(g: Geometry, arithmetic: str = "f16") -> int:
    """Nodes of the graph of a call."""
    return sum(stage.launches for stage in stages(g, arithmetic))


def _stem(g: Geometry, int8: bool) -> list[Stage]:
    c, blocks = g.width, g.blocks
    patches, inputs = g.images * g.patches, 3 * g.patch**2
    tokens = g.images * (1 + g.patches)

    def product(
        name: str, k: int, n: int, *, out: int, pointwise: int = 0, int8: bool = False
    ) -> Stage:
        """`out`: bytes written per value, with those of a residual that is read."""
        size = 1 if int8 else 2
        return Stage(
            name,
            blocks,
            macs=blocks * tokens * k * n,
            weights=blocks * k * n * size,
            data=blocks * tokens * (k * size + n * out),
            pointwise=blocks * tokens * n * pointwise,
            int8=int8,
            product=(tokens, n, 1),
        )

    attention = Stage(
        "attention",
        blocks,
        macs=blocks * g.images * 2 * (1 + g.patches) ** 2 * c,
        data=blocks * tokens * 4 * c * 2,
        pointwise=blocks * g.images * g.heads * (1 + g.patches) ** 2 * SOFTMAX,
        product=(1 + g.patches, 64, g.images * g.heads),
    )
    norms = Stage(
        "layer_norm",
        2 * blocks,
        data=2 * blocks * tokens * c * (4 + (1 if int8 else 2)),
        pointwise=2 * blocks * tokens * c * NORM,
    )
    return [
        # A pixel is read as uint8; a value is scaled, shifted and rounded.
        Stage("patches", 1, data=patches * inputs * 3, pointwise=patches * inputs * 4),
        Stage(
            "gemm patch embedding",
            1,
            macs=patches * inputs * c,
            weights=inputs * c * 2,
            data=patches * inputs * 2 + (1 + g.patches + tokens) * c * 4,
            product=(patches, c, 1),
        ),
        norms,
        product("gemm qkv", c, 3 * c, out=2, int8=int8),
        attention,
        product("gemm proj", c, c, out=8),
        product("gemm fc1", c, g.mlp, out=2, pointwise=GELU, int8=int8),
        product("gemm fc2", g.mlp, c, out=8),
    ]


def _paths(g: Geometry) -> list[Stage]:
    c, levels, depths = g.width, g.levels, g.blocks + 1
    tokens = g.images * g.patches
    paths, hidden = len(g.hidden), sum(g.hidden)
    experts, tasks, quarter = 1 + paths, len(g.tasks), g.level_width
    found = []
    if paths:
        # x once for all paths; r read (but at depth 0) and written; at a level its norm too.
        streams = depths + paths * (2 * depths - 1)
        found.append(
            Stage(
                "adapter_path",
                depths,
                macs=depths * tokens * 2 * c * hidden,
                weights=depths * 2 * c * hidden * 2,
                data=tokens * c * (4 * streams + 2 * paths * levels),
                pointwise=tokens
                * (depths * (hidden * GELU + paths * c * 4) + levels * paths * c * NORM),
                product=(tokens, c, paths),
            )
        )
    if g.routed:
        width = tasks * (c // 2)
        found.append(
            Stage(
                "router",
                levels,
                macs=levels * tokens * c * width,
                weights=levels * c * width * 2,
                data=levels * tokens * c * 4,
                pointwise=levels * tokens * width * (NORM + GELU + 1),
                product=(tokens, c // 2, tasks),
            )
        )
    mixed = tokens * tasks * c
    return [
        *found,
        Stage("weigh", levels),
        Stage(
            "mix",
            levels,
            macs=levels * mixed * quarter,
            weights=levels * tasks * c * quarter * 2,
            data=levels * tokens * (c * (4 + 2 * paths) + tasks * quarter * 2),
            # A multiplication with its addition for each expert, and the conversions of two.
            pointwise=levels * mixed * (2 * experts),
            product=(tokens, quarter, tasks),
        ),
    ]


def _chunks(g: Geometry, multiprocessors: int) -> list[int]:
    """Pairs of an image and a task whose taps are computed at a time.

    As pairs_side_by_side() in csrc/cuda/launch/heads.h has it: a block of head_expand is for 4 x 4
    tokens, and a multiprocessor has three of up to 24 classes, one of more.
    """
    blocks = multiprocessors * (3 if max(classes for _, classes in g.tasks) <= 24 else 1)
    of_a_pair = math.prod(math.ceil(side / 4) for side in g.grid)
    pairs = g.images * len(g.tasks)
    most = math.ceil(pairs / math.ceil(pairs / max(1, blocks // of_a_pair)))
    return [min(most, pairs - first) for first in range(0, pairs, most)]


def _heads(g: Geometry, int8: bool, chunks: list[int]) -> list[Stage]:
    c, tasks, z = g.width, len(g.tasks), g.joined
    tokens, positions = g.images * g.patches, g.images * g.map_pixels
    size = 1 if int8 else 2
    eights = sum(-(-classes // 8) * 8 for _, classes in g.tasks)
    logits = positions * g.classes * 4
    rounded = tasks * tokens * z
    return [
        *([Stage("quantize", 1, data=rounded * 3, pointwise=rounded * 4)] if int8 else []),
        Stage(
            "gemm taps",
            len(chunks),
            macs=tasks * tokens * z * 9 * c,
            weights=sum(min(tasks, pairs) for pairs in chunks) * z * 9 * c * size,
            data=tasks * tokens * (z * size + 9 * c * 2),
            int8=int8,
            product=(g.patches, 9 * c, tasks * g.images),
        ),
        # The interpolation is a product too, with a constant matrix.
        Stage(
            "head_expand",
            len(chunks),
            macs=positions * c * (tasks * EXPAND_MACS + eights),
            weights=c * eights * 2,
            data=tasks * tokens * 9 * c * 2 + logits,
            pointwise=tasks * positions * c * EXPAND,
        ),
        Stage(
            "decode",
            1,
            data=logits + g.images * g.pixels * g.value_bytes,
            # Of each logit four samples, three interpolations, and a comparison or an exponential.
            pointwise=g.images * g.pixels * g.classes * 8,
        ),
    ]
