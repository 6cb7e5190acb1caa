"""The adapter paths: x0 … xD to one expert per level (docs/model.md, section 2.2)."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.format.layout import NORM_EPS
from sakedge.format.onnx.builder import GraphBuilder


def add_adapter(graph: GraphBuilder, name: str, blocks: int, levels: Sequence[int]) -> None:
    """Adds one path; its outputs are the values `expert.<level>.<name>`, [B, L, C]."""
    r = _add_bottleneck(graph, name, 0, "x0")
    for i in range(blocks):
        z = graph.add("Add", [r, f"x{i + 1}"], f"tsap.{name}.{i + 1}.in")
        r = _add_bottleneck(graph, name, i + 1, z)
        if i in levels:
            tokens = graph.patch_tokens(r, f"tsap.{name}.{i + 1}.tokens")
            graph.layer_norm(tokens, f"norms.{i}.{name}", f"expert.{i}.{name}", NORM_EPS)


def _add_bottleneck(graph: GraphBuilder, name: str, i: int, z: str) -> str:
    """Adds z + up(gelu(down(z))); the learnt scale is part of `up`."""
    path = f"tsap.{name}.{i}"
    hidden = graph.linear(z, f"{path}.down", f"{path}.down")
    hidden = graph.gelu(hidden, f"{path}.gelu")
    return graph.add("Add", [z, graph.linear(hidden, f"{path}.up", f"{path}.up")], f"{path}.out")
