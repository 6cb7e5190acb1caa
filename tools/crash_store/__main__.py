"""`python -m tools.crash_store`: losses of power, kills at every call, and kills at random."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from tools.crash_store.kills import CALLS
from tools.crash_store.life import live
from tools.crash_store.packs import make_packs
from tools.crash_store.power import lose_power, record_acts
from tools.crash_store.steps import Steps

MEMORY = Path("/dev/shm")
"""Where syncing takes no time; which calls are made is the same everywhere."""


def main() -> None:
    """Runs all of it; ends with an error at the first store that is neither old nor new."""
    parser = argparse.ArgumentParser(prog="python -m tools.crash_store", description=__doc__)
    parser.add_argument("--losses", type=int, default=1024, help="combinations at each call")
    parser.add_argument("--kills", type=int, default=100, help="at random")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as name:
        folder = Path(name)
        for inner in ("packs", "stores", "steps", "life"):
            (folder / inner).mkdir()
        packs = make_packs(folder / "packs")
        losses = _lose_power(packs, folder, arguments.losses)
        killed = _kill_at_every_call(packs, folder / "steps")
        done = live(arguments.kills, packs, folder / "life", random.Random(arguments.seed))
        print(f"{arguments.kills} random kills in one store, {done} of them done", flush=True)
    print(f"{losses} losses of power, {killed} kills, {arguments.kills} random kills: all well")


def _lose_power(packs: list[Path], folder: Path, most: int) -> int:
    found = 0
    for name, recording in record_acts(packs, folder / "stores").items():
        losses = lose_power(recording, folder / "lost", most=most, use=50)
        found += losses.found
        print(
            f"{name}: {len(recording.calls)} calls, {losses.found} stores after a loss of power, "
            f"{losses.done} of them new",
            flush=True,
        )
    return found


def _kill_at_every_call(packs: list[Path], folder: Path) -> int:
    steps, killed = Steps(packs, folder), 0
    for call in CALLS:
        number = 1
        while now := steps.kill(call, number).killed:
            killed += now
            number += 1
        print(f"killed at {call}: each of up to {number - 1} in an act", flush=True)
    return killed


if __name__ == "__main__":
    main()
