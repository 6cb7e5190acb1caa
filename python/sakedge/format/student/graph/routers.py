"""The Mixture-of-Representations routers: experts to a map (docs/model.md, section 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.format.layout import NORM_EPS
from sakedge.format.onnx.builder import GraphBuilder

ABSENT = 1e4
"""What an absent expert's logit is lowered by: its weight is 0, and float16 can hold it."""


def add_mixture(
    graph: GraphBuilder,
    level: int,
    task: str,
    adapters: Sequence[str],
    active: str | None = None,
) -> str:
    """Adds one task's router and weighted sum at one level; returns the mixture, [B, L, C].

    The routing weights are the value `routing.<level>.<task>`, [B, 1, 1 + T].

    Args:
        graph: Where it goes.
        level: The level.
        task: Name of the task.
        adapters: Names of the paths, in the order of the experts.
        active: The value [B, 1, 1 + T] that is 1 for each expert that takes part and else 0; None
            where all do (docs/model.md, section 4).
    """
    router, routing = f"mor.{level}.{task}", f"routing.{level}.{task}"
    experts = _experts(graph, level, adapters)
    hidden = graph.linear(experts[0], f"{router}.hidden", f"{router}.hidden")
    hidden = graph.layer_norm(hidden, f"{router}.norm", f"{router}.norm", NORM_EPS)
    hidden = graph.gelu(hidden, f"{router}.gelu")
    # The gate is linear, so the mean over tokens is taken before it rather than after.
    pooled = graph.token_mean(hidden, f"{router}.mean")
    logits = graph.linear(pooled, f"{router}.gate", f"{router}.gate")
    if active is not None:
        logits = graph.add("Add", [logits, _absence(graph, active)], f"{router}.present")
    weights = graph.add("Softmax", [logits], routing, axis=-1)
    if len(experts) == 1:
        return graph.add("Mul", [experts[0], weights], f"mixture.{level}.{task}")
    return _weighted_sum(graph, experts, weights, routing, f"mixture.{level}.{task}")


def add_plain_sum(
    graph: GraphBuilder, level: int, adapters: Sequence[str], active: str | None = None
) -> str:
    """Adds the sum that stands for every task's mixture where there is no router.

    Args:
        graph: Where it goes.
        level: The level.
        adapters: As for `add_mixture`.
        active: As for `add_mixture`.
    """
    experts = _experts(graph, level, adapters)
    if active is None or len(experts) == 1:
        return graph.add("Sum", experts, f"mixture.{level}")
    return _weighted_sum(graph, experts, active, f"active.{level}", f"mixture.{level}")


def _weighted_sum(
    graph: GraphBuilder, experts: Sequence[str], weights: str, name: str, output: str
) -> str:
    parts = graph.split(weights, [f"{name}.{e}" for e in range(len(experts))], 1)
    weighed = [
        graph.add("Mul", [expert, part], f"{part}.weighed")
        for expert, part in zip(experts, parts, strict=True)
    ]
    return graph.add("Sum", weighed, output)


def _absence(graph: GraphBuilder, active: str) -> str:
    """What is added to the logits of experts that take no part: a number that leaves them none."""
    absent = graph.add_once("Sub", [active, graph.constant("const.one.float", [1.0])], "absent")
    return graph.add_once("Mul", [absent, graph.constant("const.absent", [ABSENT])], "absence")


def _experts(graph: GraphBuilder, level: int, adapters: Sequence[str]) -> list[str]:
    """The stem's own patch tokens, then each path's."""
    stem = graph.patch_tokens(f"x{level + 1}", f"expert.{level}")
    return [stem, *(f"expert.{level}.{name}" for name in adapters)]
