"""What `python -m tools.gpu_check` is asked for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tools.gpu_check import floor
from tools.gpu_check.devices import DEVICES
from tools.gpu_check.geometry import VIT_BASE, Geometry
from tools.gpu_check.plan import STEPS, check
from tools.gpu_check.step import run_step

OUTPUT = Path("build/gpu_check")


def main(arguments: list[str] | None = None) -> int:
    """0 if nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    counted = commands.add_parser("floor", help="what a student takes at least, per device")
    counted.add_argument("student", type=Path, nargs="?", help="default: ViT-B of docs/algebra.md")
    counted.add_argument("--batch", type=int, default=1)
    counted.add_argument("--device", nargs="+", help="names of its table, or parts of them")
    counted.add_argument("--json", type=Path, help="also as JSON into this file")
    one = commands.add_parser("step", help="one step in this process; what the check itself runs")
    one.add_argument("name", choices=[step.name for step in STEPS])
    for each in (parser, one):
        each.add_argument("--output", type=Path, default=OUTPUT, help="folder; %(default)s")
        each.add_argument("--rehearse", action="store_true", help="as far as it goes without a GPU")
        each.add_argument("--student", type=Path, help="default: a random ViT-B is made")
        each.add_argument("--trtexec", type=Path, help="TensorRT's program, if not on the PATH")
        each.add_argument(
            "--exhaustive",
            action="store_true",
            help="let torch search Triton's products as well: minutes for each number of images",
        )
    parser.add_argument("--tune", action="store_true", help="also search the tables of tiles")
    parser.add_argument(
        "--only", nargs="+", metavar="STEP", help=", ".join(step.name for step in STEPS)
    )
    parser.add_argument("--budget", type=float, default=480, help="seconds in all; %(default)s")
    given = parser.parse_args(arguments)
    if given.command == "floor":
        return print_floor(given.student, given.batch, given.device, given.json)
    if given.command == "step":
        return run_step(given.name, given)
    if unknown := set(given.only or ()) - {step.name for step in STEPS}:
        parser.error(f"no step {min(unknown)}; there are {', '.join(s.name for s in STEPS)}")
    return check(given)


def print_floor(student: Path | None, batch: int, names: list[str] | None, out: Path | None) -> int:
    """Prints the tables that docs/performance.md shows."""
    g = VIT_BASE.with_images(batch) if student is None else Geometry.read(student, batch)
    names = names or list(floor.PAGE_DEVICES)
    devices = [d for d in DEVICES if any(name.lower() in d.name.lower() for name in names)]
    print(f"{g}\n\n{floor.counts_table(g)}\n")
    for arithmetic in floor.ARITHMETICS:
        print(f"{arithmetic}:\n\n{floor.stages_table(g, devices, arithmetic)}\n")
    print(floor.devices_table(g))
    if out is not None:
        out.write_text(json.dumps(floor.as_json(g), indent=1))
    return 0
