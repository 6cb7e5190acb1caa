"""The Mixture-of-Representations routers: experts to a map (docs/model.md, section 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.format.layout import NORM_EPS
from sakedge.format.onnx.builder import GraphBuilder

ABSENT = 1e4
"""What an absent expert's logit is lowered by: its weight is 0, and float16 can hold it."""


def add_routing(
    graph: GraphBuilder,
    level: int,
    task: str,
    adapters: Sequence[str],
    active: str | None = None,
) -> str:
    """Adds one task's router at one level; returns `routing.<level>.<task>`, [B, 1, 1 + T].

    Args:
        graph: Where it goes.
        level: The level.
        task: Name of the task.
        adapters: Names of the paths, in the order of the experts.
        active: The value [B, 1, 1 + T] that is 1 for each expert that takes part and else 0; None
            where all do (docs/model.md, section 4).
    """
    router = f"mor.{level}.{task}"
    stem, *_ = _experts(graph, level, adapters)
    hidden = graph.linear(stem, f"{router}.hidden", f"{router}.hidden")
    hidden = graph.layer_norm(hidden, f"{router}.norm", f"{router}.norm", NORM_EPS)
    hidden = graph.gelu(hidden, f"{router}.gelu")
    # The gate is linear, so the mean over tokens is taken before it rather than after.
    pooled = graph.token_mean(hidden, f"{router}.mean")
    logits = graph.linear(pooled, f"{router}.gate", f"{router}.gate")
    if active is not None:
        logits = graph.add("Add", [logits, _absence(graph, active)], f"{router}.present")
    return graph.add("Softmax", [logits], f"routing.{level}.{task}", axis=-1)


def add_mixture(
    graph: GraphBuilder,
    level: int,
    task: str,
    adapters: Sequence[str],
    active: str | None = None,
) -> str:
    """Adds one task's router and weighted sum at one level; returns the mixture, [B, L, C].

    Its arguments are those of `add_routing`.
    """
    weights = add_routing(graph, level, task, adapters, active)
    experts, output = _experts(graph, level, adapters), f"mixture.{level}.{task}"
    if len(experts) == 1:
        return graph.add("Mul", [experts[0], weights], output)
    return _weighted_sum(graph, experts, weights, weights, output)


def add_plain_sum(
    graph: GraphBuilder, level: int, adapters: Sequence[str], active: str | None = None
) -> str:
    """Adds the sum that stands for every task's mixture where there is no router.

    Args:
        graph: Where it goes.
        level: The level.
        adapters: As for `add_routing`.
        active: As for `add_routing`.
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


def add_stem_expert(graph: GraphBuilder, level: int) -> str:
    """Adds expert 0 at one level, once: the stem's own patch tokens, [B, L, C]."""
    return graph.patch_tokens(f"x{level + 1}", f"expert.{level}")


def _experts(graph: GraphBuilder, level: int, adapters: Sequence[str]) -> list[str]:
    """The stem's own patch tokens, then each path's."""
    stem = add_stem_expert(graph, level)
    return [stem, *(f"expert.{level}.{name}" for name in adapters)]
