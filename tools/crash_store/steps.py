"""Every step of every act: killed there, and judged."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.crash_store.acts import ACTS
from tools.crash_store.disk import Tree, read_tree
from tools.crash_store.judge import judge
from tools.crash_store.kills import kill_at


class Kills(NamedTuple):
    """How many acts were killed, and how many were done, killed or not."""

    killed: int
    done: int


class Steps:
    """The stores that the acts begin with, made once.

    Args:
        packs: Packs, which lie in one folder.
        folder: An empty folder.
    """

    def __init__(self, packs: Sequence[Path], folder: Path) -> None:
        self._packs = packs
        self._begun, self._killed = folder / "begun", folder / "killed"
        self._old: dict[str, Tree | None] = {}
        self._new: dict[str, Tree] = {}
        self._begun.mkdir()
        for name, act in ACTS.items():
            store = self._begun / name
            act.prepare(store, packs)
            self._old[name] = read_tree(store) if store.exists() else None
            done = folder / name
            if store.exists():
                shutil.copytree(store, done)
            act.run(done, packs)
            self._new[name] = read_tree(done)

    def kill(self, call: str, number: int) -> Kills:
        """Kills each act at a call, and checks that its store is the old one or the new one.

        Args:
            call: One of `CALLS`.
            number: Which of these calls, from 1 on.

        Returns:
            How many were killed; none once all have fewer such calls.

        Raises:
            AssertionError, SakedgeError: A store is neither.
        """
        shutil.copytree(self._begun, self._killed)
        killed = kill_at(call, number, tuple(ACTS), self._killed, self._packs[0].parent)
        done = [
            judge(self._killed / name, act, self._old[name], self._new[name], self._packs, use=True)
            for name, act in ACTS.items()
        ]
        shutil.rmtree(self._killed)
        return Kills(killed, sum(done))
