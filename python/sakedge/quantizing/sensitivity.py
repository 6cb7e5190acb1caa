"""Which parts of a student cannot be int8: the fewest that have to stay in floats.

Each group is tried as *the only one that is int8*. That tells what it does by itself; with all but
one in int8, two groups that each ruin a task would both look harmless.

The groups are ordered by the harm that they do, and the shortest beginning of that order is sought
with which the student passes in floats. Then those groups are divided and the same is done with
their parts: the stem by kind of layer and quarter of its depth, then by layer; adapters, routers
and heads by component.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sakedge.format.student.int8 import LAYERS
from sakedge.format.student.manifest import Manifest

_QUARTERS = 4


@dataclass(frozen=True)
class Group:
    """Parts that are looked at together.

    Attributes:
        name: For progress.
        inner: What it is divided into; nothing for a single part, whose name it then has.
    """

    name: str
    inner: tuple[Group, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of all its parts."""
        return tuple(p for group in self.inner for p in group.parts) if self.inner else (self.name,)


Harm = Callable[[str, Sequence[str]], float]
"""From a group's name and its parts to the harm that it does as the only one that is int8."""
Passes = Callable[[Sequence[str]], bool]
"""Whether the student passes with these parts in floats."""


def groups_of(manifest: Manifest) -> tuple[Group, ...]:
    """A student's parts from coarse to fine."""
    others: dict[str, list[Group]] = {}
    for component in manifest.components:
        if component != "stem":
            others.setdefault(component.partition(".")[0], []).append(Group(component))
    divided = (Group(name, tuple(inner)) for name, inner in others.items())
    return (_stem(manifest.architecture.blocks), *divided)


def keep(groups: Sequence[Group], harm: Harm, passes: Passes) -> tuple[str, ...]:
    """Finds the parts that have to stay in floats.

    Args:
        groups: All parts, with all of which in floats the student passes.
        harm: Measures.
        passes: Measures.
    """
    kept = _fewest(_ranked(groups, harm), passes)
    while any(group.inner for group in kept):
        divided = [part for group in kept for part in (group.inner or (group,))]
        kept = _fewest(_ranked(divided, harm), passes)
    return tuple(part for group in kept for part in group.parts)


def _stem(blocks: int) -> Group:
    quarters = [
        range(i * blocks // _QUARTERS, (i + 1) * blocks // _QUARTERS) for i in range(_QUARTERS)
    ]
    return Group(
        "stem",
        tuple(
            Group(
                f"{layer} of blocks {quarter[0]} to {quarter[-1]}",
                tuple(Group(f"stem.blocks.{i}.{layer}") for i in quarter),
            )
            for quarter in quarters
            if quarter
            for layer in LAYERS
        ),
    )


def _ranked(groups: Sequence[Group], harm: Harm) -> list[Group]:
    """The most harmful first. NaN, of a student that computes nothing usable, is the worst."""
    found = {group: harm(group.name, group.parts) for group in groups}
    return sorted(groups, key=lambda group: (found[group] != found[group], found[group]))[::-1]


def _fewest(ranked: Sequence[Group], passes: Passes) -> list[Group]:
    """The shortest beginning with which the student passes; with all of them it does."""
    low, high = 1, len(ranked)
    while low < high:
        middle = (low + high) // 2
        if passes([part for group in ranked[:middle] for part in group.parts]):
            high = middle
        else:
            low = middle + 1
    return list(ranked[:high])
