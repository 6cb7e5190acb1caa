"""The heads: four mixtures to one task's logits (docs/model.md, section 2.4)."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.format.onnx.builder import GraphBuilder

# Resize takes its sizes from its third input; the second (a region of interest) is not used here.
_BILINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


def add_head(
    graph: GraphBuilder, task: str, mixtures: Sequence[str], grid: tuple[int, int], patch: int
) -> None:
    """Adds one head as the paper states it; its output is named as the task, [B, classes, H, W].

    Args:
        graph: Where it goes.
        task: Name of the task.
        mixtures: One value [B, L, C] per level.
        grid: Rows and columns of the patch tokens.
        patch: Pixels a token is wide; a multiple of 4.
    """
    head = f"heads.{task}"
    joined = add_reduction(graph, task, mixtures)
    turned = graph.add("Transpose", [joined], f"{head}.turned", perm=[0, 2, 1])
    shape = graph.constant("const.grid", [0, -1, *grid])
    z = graph.add("Reshape", [turned, shape], f"{head}.map")
    scale = patch / 4
    quarter = graph.constant("const.to_quarter", [1.0, 1.0, scale, scale])
    z = graph.add("Resize", [z, "", quarter], f"{head}.quarter", **_BILINEAR)
    fuse = [graph.weight(f"{head}.fuse.{part}") for part in ("weight", "bias")]
    z = graph.add("Conv", [z, *fuse], f"{head}.fuse", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    z = graph.gelu(z, f"{head}.gelu")
    last = [graph.weight(f"{head}.last.{part}") for part in ("weight", "bias")]
    z = graph.add("Conv", [z, *last], f"{head}.last", kernel_shape=[1, 1])
    add_logits(graph, z, task)


def add_reduction(graph: GraphBuilder, task: str, mixtures: Sequence[str]) -> str:
    """Adds a head's level linears; returns z, their results side by side, [B, L, C]."""
    head = f"heads.{task}"
    reduced = [
        graph.linear(mixture, f"{head}.linears.{j}", f"{head}.linears.{j}")
        for j, mixture in enumerate(mixtures)
    ]
    # Concatenated before resizing: the same result with one operator instead of four.
    return graph.add("Concat", reduced, f"{head}.joined", axis=-1)


def add_logits(graph: GraphBuilder, quarter: str, output: str) -> str:
    """Resizes a map [B, classes, H/4, W/4] to the input's size."""
    full = graph.constant("const.to_full", [1.0, 1.0, 4.0, 4.0])
    return graph.add("Resize", [quarter, "", full], output, **_BILINEAR)
