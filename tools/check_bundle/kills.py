"""An installer that is killed leaves what ran before running, or the new version as a whole."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sakedge.bundling.installer.installed import check_installed
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.installer.place import Place

CALLS = ("rename", "symlink", "fsync", "unlink", "rmdir", "mkdir", "write")
"""What an installer changes a disk with, and syncs it."""
ACTS: dict[str, tuple[str, ...]] = {
    "install": (),
    "rollback": ("--rollback",),
    "uninstall": ("--uninstall",),
}
_OLD, _NEW = "stand-in 1.0", "stand-in 2.0"


class Ended(NamedTuple):
    """Whether an act was killed, and whether it was done all the same."""

    killed: bool
    done: bool


class Kills:
    """Installations that are killed, one after the other in one place.

    Args:
        first: A bundle of the stand-in 1.0.
        second: A bundle of 2.0.
        folder: An empty folder.
    """

    def __init__(self, first: Path, second: Path, folder: Path) -> None:
        self._bundles, self._prefix = (first, second), folder / "opt"
        self._folder = folder

    def at(self, act: str, call: str, number: int) -> Ended:
        """Kills an act when it is about to make a system call for the `number`-th time.

        Raises:
            AssertionError: What it left is neither old nor new, or cannot be gone on from.
        """
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject]
        return self._judged(act, subprocess.run([*strace, *self._begin(act)], capture_output=True))

    def after(self, act: str, seconds: float) -> Ended:
        """Kills an act, and all that it has started, after a time; errors as for `at`."""
        process = subprocess.Popen(
            self._begin(act),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        code = process.wait()
        return self._judged(act, subprocess.CompletedProcess([], code))

    def duration(self, act: str) -> float:
        """How long an act takes that is left alone, seconds."""
        command, begun = self._begin(act), time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        return time.monotonic() - begun

    def _begin(self, act: str) -> Sequence[str | Path]:
        """Makes what an act begins with, once, and lays it out; returns the act's command."""
        begun = self._folder / ("one" if act == "install" else "two")
        shutil.rmtree(self._prefix, ignore_errors=True)
        if not begun.exists():
            for bundle in self._bundles[: 1 if act == "install" else 2]:
                command = ["sh", bundle / "install.sh", "--prefix", self._prefix]
                subprocess.run(command, check=True, capture_output=True)
            self._prefix.rename(begun)
        shutil.copytree(begun, self._prefix, symlinks=True)
        return self._command(act)

    def _command(self, act: str) -> Sequence[str | Path]:
        return ["sh", self._bundles[1] / "install.sh", "--prefix", self._prefix, *ACTS[act]]

    def _judged(self, act: str, ended: subprocess.CompletedProcess[bytes]) -> Ended:
        before, after = {
            "install": (_OLD, _NEW),
            "rollback": (_NEW, _OLD),
            "uninstall": (_NEW, ""),
        }[act]
        says = self._says()
        assert says in (before, after), (act, says, ended)
        if says:
            self._check()
        students = self._files("var")
        again = subprocess.run(self._command(act), capture_output=True, text=True)
        if says == before or act == "install":
            assert again.returncode == 0, again
            assert self._says() == after, again
        if self._says():
            self._check()
        assert self._files("var") >= students, "a student went"
        left = {each.name for each in self._prefix.iterdir()}
        assert left <= {"bin", "current", "etc", "lock", "var", "versions"}, left
        if act == "install":
            names = sorted(each.name[:3] for each in (self._prefix / "versions").iterdir())
            assert names == ["1.0", "2.0"], names
        return Ended(ended.returncode != 0, says == after)

    def _says(self) -> str:
        command = self._prefix / "bin" / "sakedge"
        if not command.exists():
            return ""
        return subprocess.run([command], capture_output=True, text=True).stdout.strip()

    def _check(self) -> None:
        place = Place.at(self._prefix)
        name = place.running()
        assert name is not None
        faults, _ = check_installed(place, name, Trust(), whole=False)
        assert faults == [], faults

    def _files(self, folder: str) -> set[str]:
        return {str(each) for each in (self._prefix / folder).rglob("*.onnx")}


def kill_everywhere(kills: Kills, most: int, at_random: int, rng: random.Random) -> int:
    """Kills each act at its calls, at most at so many of a kind, and at random times.

    Returns:
        How many acts were killed.
    """
    killed = 0
    for act in ACTS:
        for call in CALLS:
            numbers = [*range(1, most + 1), *sorted(rng.sample(range(most + 1, 40 * most), most))]
            found = []
            for number in numbers:
                found.append(kills.at(act, call, number))
                if not found[-1].killed:  # it has fewer such calls
                    break
            killed += _tell(act, f"at {call}", found)
        whole = kills.duration(act)
        found = [kills.after(act, rng.uniform(0, whole)) for _ in range(at_random)]
        killed += _tell(act, "at random", found)
    return killed


def _tell(act: str, where: str, ended: Sequence[Ended]) -> int:
    killed = [each for each in ended if each.killed]
    done = sum(each.done for each in killed)
    print(f"{act}: killed {len(killed)} times {where}, {done} of them done", flush=True)
    return len(killed)
