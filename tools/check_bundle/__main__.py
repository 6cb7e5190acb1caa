"""`python -m tools.check_bundle kills|install|targets`: what bundles promise, at length."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from tools.check_bundle.acceptance import accept
from tools.check_bundle.desk import resolve_all
from tools.check_bundle.kills import Kills, kill_everywhere
from tools.check_bundle.roots import SUITES
from tools.check_bundle.standins import make_small_bundle

from sakedge.assets import demo_student

_MEMORY = Path("/dev/shm")


def main() -> None:
    """Runs one of the checks; ends with an error at the first promise that is broken."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_bundle", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    kills = verbs.add_parser("kills", help="an installer that is killed")
    kills.add_argument("--most", type=int, default=12, help="calls of each kind, and as many later")
    kills.add_argument("--random", type=int, default=20, help="kills of each act at random times")
    kills.add_argument("--seed", type=int, default=0)
    install = verbs.add_parser("install", help="in a fresh system without a network")
    install.add_argument("--python", choices=SUITES, required=True)
    install.add_argument("--machine", choices=("x86_64", "aarch64"), default="x86_64")
    install.add_argument("--root", type=Path, help="a fresh root that is there already")
    install.add_argument(
        "--extras",
        nargs="*",
        default=["openvino", "trust"],
        help="OpenVINO takes minutes in an emulator",
    )
    targets = verbs.add_parser("targets", help="bundles for other machines, made and verified")
    targets.add_argument("names", nargs="+")
    targets.add_argument("--cuda", action=argparse.BooleanOptionalAction)
    for each in (install, targets):
        each.add_argument("--wheels", type=Path, default=Path("dist"))
    given = parser.parse_args()
    if given.verb == "install":
        extras = tuple(given.extras)
        print(accept(given.python, given.machine, given.wheels, given.root, extras))
    elif given.verb == "targets":
        print(resolve_all(given.names, given.wheels, given.cuda))
    else:
        print(f"{_kill(given)} kills: all well")


def _kill(given: argparse.Namespace) -> int:
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        folder = Path(name)
        bundles = [folder / version for version in ("1.0", "2.0")]
        for bundle in bundles:
            make_small_bundle(bundle, folder, demo_student(), bundle.name)
        (folder / "kills").mkdir()
        kills = Kills(*bundles, folder / "kills")
        return kill_everywhere(kills, given.most, given.random, rng)


if __name__ == "__main__":
    main()
