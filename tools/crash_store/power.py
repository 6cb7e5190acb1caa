"""Losses of power: an act's calls, up to each of them, on a disk that loses what was not synced."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.crash_store.acts import ACTS
from tools.crash_store.disk import Disk, Tree, read_tree, write_tree
from tools.crash_store.judge import judge
from tools.crash_store.trace import Call, changes, record


@dataclass(frozen=True)
class Recording:
    """An act on a store.

    Attributes:
        name: Of the act.
        packs: The packs that it adds, or could.
        old: All files before it; None where there was no store.
        calls: What it did.
        new: All files after it.
    """

    name: str
    packs: Sequence[Path]
    old: Tree | None
    calls: Sequence[Call]
    new: Tree


@dataclass(frozen=True)
class Losses:
    """What was tried.

    Attributes:
        found: Different folders that a loss may have left, all of them judged.
        done: In how many of them the act was done.
    """

    found: int
    done: int


def record_acts(packs: Sequence[Path], folder: Path) -> dict[str, Recording]:
    """Does every act on a store of its own.

    Args:
        packs: Packs, which lie in one folder.
        folder: Where the stores are to be.
    """
    old: dict[str, Tree | None] = {}
    for name, act in ACTS.items():
        act.prepare(folder / name, packs)
        old[name] = read_tree(folder / name) if (folder / name).exists() else None
    lines = record(("-m", "tools.crash_store.acts", folder, packs[0].parent, *ACTS))
    return {
        name: Recording(
            name, packs, old[name], list(changes(lines, folder / name)), read_tree(folder / name)
        )
        for name in ACTS
    }


def lose_power(recording: Recording, folder: Path, *, most: int, use: int) -> Losses:
    """Loses the power before, between and after an act's calls.

    Args:
        recording: The act.
        folder: Where what is left is put together, again and again.
        most: How many combinations of changed names are tried at each place.
        use: Every so many times all verbs are tried on it.

    Raises:
        AssertionError, SakedgeError: A loss left something else than the old or the new store, or
            took back what was reported as done.
    """
    act, old, new = ACTS[recording.name], recording.old, recording.new
    disk, chance = Disk(old), random.Random(recording.name)
    seen: set[str] = set()
    done = 0
    for i in range(len(recording.calls) + 1):
        is_last = i == len(recording.calls)
        for tree in disk.crashes(chance, most):
            key = _digest(tree)
            if key in seen and not is_last:
                continue
            seen.add(key)
            try:
                if tree is not None:
                    write_tree(folder, tree)
                is_done = judge(folder, act, old, new, recording.packs, use=len(seen) % use == 0)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            assert is_done or not is_last, "what was reported as done is gone"
            done += is_done
        if not is_last:
            disk.apply(recording.calls[i])
    return Losses(len(seen), done)


def _digest(tree: Tree | None) -> str:
    return hashlib.sha256(repr(None if tree is None else sorted(tree.items())).encode()).hexdigest()
