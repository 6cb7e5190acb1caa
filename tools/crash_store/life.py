"""One store through many kills: each act finds what the one before has left."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from tools.crash_store.acts import LIFE
from tools.crash_store.judge import check_whole
from tools.crash_store.kills import CALLS, kill_at

from sakedge.store import Store


def live(kills: int, packs: Sequence[Path], folder: Path, chance: random.Random) -> int:
    """Kills random acts at random calls, one after the other, in one store.

    Args:
        kills: How many have to be killed.
        packs: Packs, which lie in one folder.
        folder: An empty folder.
        chance: Chooses.

    Returns:
        How many of them were done nevertheless.

    Raises:
        AssertionError, SakedgeError: The store was something else than before or after an act.
    """
    store = Store.create(folder / "life")
    killed = done = 0
    while killed < kills:
        act, call, number = chance.choice(list(LIFE)), chance.choice(CALLS), chance.randint(1, 4)
        before, there = store.state(), len(store.entries())
        store.folder.rename(folder / act)
        killed += (was_killed := kill_at(call, number, (act,), folder, packs[0].parent))
        (folder / act).rename(store.folder)
        store = Store.open(store.folder)
        check_whole(store)
        after = store.state()
        assert after == before or after.generation == before.generation + 1
        assert set(after.adapters) <= {"sam", "sam@line3"}
        done += was_killed and (after != before or len(store.entries()) != there)
    return done
