"""How much the routers mix in what was exchanged.

Routers read the stem alone, so that an adapter does not change its own weight: a pack that brings
router columns does, and so do images of another kind.
"""

from __future__ import annotations

from collections.abc import Collection

from sakedge.adapters.snapshot import Snapshot
from sakedge.result import Routing

LEAST_WEIGHT = 0.01
"""What is mixed in with less than this is as good as not there."""


def exchanged(old: Snapshot, new: Snapshot) -> tuple[str, ...]:
    """The slots whose adapter is not the same in both."""
    names = dict.fromkeys((*old.slots, *new.slots))
    return tuple(name for name in names if _id(old, name) != _id(new, name))


def weight_of(routing: Routing, slots: Collection[str]) -> float:
    """The weight of some slots together, averaged over the levels."""
    columns = [i for i, expert in enumerate(routing.experts) if expert in slots]
    return float(routing.weights[:, columns].sum(axis=1).mean())


def _id(snapshot: Snapshot, name: str) -> object:
    part = snapshot.adapters.get(name)
    return None if part is None else part.id
