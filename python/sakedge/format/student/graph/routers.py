"""The Mixture-of-Representations routers: experts to a map (docs/model.md, section 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.format.layout import NORM_EPS
from sakedge.format.onnx.builder import GraphBuilder


def add_mixture(graph: GraphBuilder, level: int, task: str, adapters: Sequence[str]) -> str:
    """Adds one task's router and weighted sum at one level; returns the mixture, [B, L, C].

    The routing weights are the value `routing.<level>.<task>`, [B, 1, 1 + T].
    """
    router, routing = f"mor.{level}.{task}", f"routing.{level}.{task}"
    experts = _experts(graph, level, adapters)
    hidden = graph.linear(experts[0], f"{router}.hidden", f"{router}.hidden")
    hidden = graph.layer_norm(hidden, f"{router}.norm", f"{router}.norm", NORM_EPS)
    hidden = graph.add("Gelu", [hidden], f"{router}.gelu", approximate="none")
    # The gate is linear, so the mean over tokens is taken before it rather than after.
    pooled = graph.add("ReduceMean", [hidden, graph.constant("const.one", [1])], f"{router}.mean")
    logits = graph.linear(pooled, f"{router}.gate", f"{router}.gate")
    weights = graph.add("Softmax", [logits], routing, axis=-1)
    if len(experts) == 1:
        return graph.add("Mul", [experts[0], weights], f"mixture.{level}.{task}")
    parts = graph.add_many(
        "Split",
        [weights],
        [f"{routing}.{e}" for e in range(len(experts))],
        axis=-1,
        num_outputs=len(experts),
    )
    weighed = [
        graph.add("Mul", [expert, part], f"{part}.weighed")
        for expert, part in zip(experts, parts, strict=True)
    ]
    return graph.add("Sum", weighed, f"mixture.{level}.{task}")


def add_plain_sum(graph: GraphBuilder, level: int, adapters: Sequence[str]) -> str:
    """Adds the sum that stands for every task's mixture where there is no router."""
    return graph.add("Sum", _experts(graph, level, adapters), f"mixture.{level}")


def _experts(graph: GraphBuilder, level: int, adapters: Sequence[str]) -> list[str]:
    """The stem's own patch tokens, then each path's."""
    stem = graph.patch_tokens(f"x{level + 1}", f"expert.{level}")
    return [stem, *(f"expert.{level}.{name}" for name in adapters)]
