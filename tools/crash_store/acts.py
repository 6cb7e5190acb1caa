"""The acts on a store that are interrupted, and the stores that they begin with.

`python -m tools.crash_store.acts FOLDER PACKS ACT…` does some, each on its store in FOLDER.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sakedge.errors import StoreError
from sakedge.store import Store

Step = Callable[[Path, Sequence[Path]], object]


@dataclass(frozen=True)
class Act:
    """An act.

    Attributes:
        prepare: Makes the store that it begins with.
        run: The act.
        is_atomic: Whether it has one moment before which nothing and after which all is done. What
            is not removes several things, one after the other.
    """

    prepare: Step
    run: Step
    is_atomic: bool = True


def _nothing(folder: Path, packs: Sequence[Path]) -> None:
    """No store."""


def _empty(folder: Path, packs: Sequence[Path]) -> None:
    Store.create(folder)


def _one(folder: Path, packs: Sequence[Path]) -> None:
    """One version, which is active."""
    store = Store.create(folder)
    store.add(packs[0])
    store.activate("sam", "1")


def _two(folder: Path, packs: Sequence[Path]) -> None:
    """Two versions, the first is active."""
    _one(folder, packs)
    Store.open(folder).add(packs[1])


def _many(folder: Path, packs: Sequence[Path]) -> None:
    """Each version was active, the last one is."""
    _two(folder, packs)
    store = Store.open(folder)
    store.activate("sam", "2")
    store.add(packs[2])
    store.activate("sam", "3")


def _left_over(folder: Path, packs: Sequence[Path]) -> None:
    """A version, and what a writer left of the adding of another one, and of a change."""
    _one(folder, packs)
    other = folder / "packs" / ("0" * 64)
    other.mkdir()
    shutil.copy(packs[1], other)
    (folder / "versions" / "dino").mkdir()
    (folder / "history" / ".sakedge-0123456789abcdef.tmp").write_bytes(b"{")
    shutil.copy(folder / "active.json", folder / "history" / "00000001.json")


ACTS: dict[str, Act] = {
    "create": Act(_nothing, lambda folder, packs: Store.create(folder)),
    "add": Act(_empty, lambda folder, packs: Store.open(folder).add(packs[0])),
    "add-another": Act(_one, lambda folder, packs: Store.open(folder).add(packs[1])),
    "add-again": Act(_one, lambda folder, packs: Store.open(folder).add(packs[0])),
    "activate": Act(_two, lambda folder, packs: Store.open(folder).activate("sam", "2")),
    "deactivate": Act(_one, lambda folder, packs: Store.open(folder).deactivate("sam")),
    "rollback": Act(_many, lambda folder, packs: Store.open(folder).rollback()),
    "rollback-one": Act(_many, lambda folder, packs: Store.open(folder).rollback("sam")),
    "gc": Act(_many, lambda folder, packs: Store.open(folder).gc(0), is_atomic=False),
    "recover": Act(_left_over, lambda folder, packs: Store.open(folder), is_atomic=False),
}


def _try(act: Callable[[Store, Sequence[Path]], object]) -> Step:
    """An act on whatever store there is, which may refuse it."""

    def run(folder: Path, packs: Sequence[Path]) -> None:
        with suppress(StoreError):
            act(Store.open(folder), packs)

    return run


LIFE: dict[str, Step] = {
    "life-add-1": _try(lambda store, packs: store.add(packs[0])),
    "life-add-2": _try(lambda store, packs: store.add(packs[1])),
    "life-add-3": _try(lambda store, packs: store.add(packs[2])),
    "life-activate-1": _try(lambda store, packs: store.activate("sam", "1")),
    "life-activate-2": _try(lambda store, packs: store.activate("sam", "2")),
    "life-activate-3": _try(lambda store, packs: store.activate("sam@line3", "3")),
    "life-deactivate": _try(lambda store, packs: store.deactivate("sam")),
    "life-rollback": _try(lambda store, packs: store.rollback()),
    "life-gc": _try(lambda store, packs: store.gc(1)),
}
"""Acts on one store, one after the other."""
STEPS: dict[str, Step] = {**{name: act.run for name, act in ACTS.items()}, **LIFE}


def packs_in(folder: Path) -> list[Path]:
    """The packs that `make_packs` wrote."""
    return sorted(folder.glob("*.safetensors"))


if __name__ == "__main__":
    for each in sys.argv[3:]:
        STEPS[each](Path(sys.argv[1]) / each, packs_in(Path(sys.argv[2])))
