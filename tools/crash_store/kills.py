"""Kills at a step: acts in processes of their own, each ended by SIGKILL.

`python -m tools.crash_store.kills FOLDER PACKS ACT…` does the acts, on a store for each in FOLDER,
and exits with the number of those that were killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.crash_store.acts import STEPS, packs_in
from tools.crash_store.trace import ROOT, environment

CALLS = ("write", "fsync", "rename", "unlink", "mkdir", "rmdir")
"""What the store changes and syncs with; `trace.record` finds any other."""


def kill_at(call: str, number: int, acts: Sequence[str], folder: Path, packs: Path) -> int:
    """Does acts, and kills each when it is about to make a call for the `number`-th time.

    Args:
        call: One of `CALLS`.
        number: From 1 on.
        acts: Which.
        folder: Holds the store of each, under its name.
        packs: Folder of the packs.

    Returns:
        How many were killed; the others were done before.
    """
    # Not with --seccomp-bpf: strace would not count the calls of processes that were forked.
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    ended = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject),
            *(sys.executable, "-m", "tools.crash_store.kills", folder, packs, *acts),
        ],
        cwd=ROOT,
        env=environment(),
    )
    assert 0 <= ended.returncode <= len(acts), ended.returncode
    return ended.returncode


def _do(acts: Sequence[str], folder: Path, packs: Path) -> int:
    """Forks for each act. This process itself writes nothing, or it would be killed."""
    there, killed = packs_in(packs), 0
    for name in acts:
        child = os.fork()
        if child == 0:
            STEPS[name](folder / name, there)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    return killed


if __name__ == "__main__":
    sys.exit(_do(sys.argv[3:], Path(sys.argv[1]), Path(sys.argv[2])))
