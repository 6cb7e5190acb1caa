"""Measures a box: every precision, callers, pauses, a soak; records and pages go into a folder.

    python -m tools.bench_box student.onnx -o box/              # some twenty minutes, and a soak
    python -m tools.bench_box student.onnx -o box/ --soak 60
    python -m tools.bench_box --table                           # docs/hardware.md, from the records

The same command on an x86 PC and on a Jetson. A precision that does not run here is left out with
its reason. The soak is run at the first precision alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tools.bench_box.advice import advice
from tools.bench_box.table import write_table

from sakedge.assets import demo_student
from sakedge.benchmarking import Plan, Record, benchmark
from sakedge.benchmarking.hardware.device import read_device
from sakedge.benchmarking.hardware.power_mode import read_power_mode
from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.plan import numbers_of, pauses_of
from sakedge.benchmarking.report import write_record
from sakedge.cli.output import progress_bar
from sakedge.errors import SakedgeError
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.text import to_json

PAGE = Path("docs/hardware.md")
RECORDS = Path("docs/hardware")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench_box",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("student", nargs="?", type=Path, default=demo_student())
    parser.add_argument("-o", "--output", type=Path, default=Path("box"))
    parser.add_argument("--name", help="of the records (default: the student's file)")
    parser.add_argument("--precision", nargs="+", default=["auto"], help="e.g. fp32 bf16 int8")
    parser.add_argument("--streams", default="1,2,4")
    parser.add_argument("--interval", default="10ms,100ms,1s,10s", help="pauses; `none` for none")
    parser.add_argument("--soak", type=float, default=30, help="minutes; 0 for none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="in each process")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device")
    parser.add_argument("--table", action="store_true", help=f"write {PAGE}; measure nothing")
    args = parser.parse_args()
    if args.table:
        print(f"{write_table(RECORDS, PAGE)} records in {PAGE}")
        return
    for line in advice(read_device(Gaps()), read_power_mode(Gaps())):
        print(line)
    make_folder(args.output)
    for number, precision in enumerate(args.precision):
        try:
            found = measure(args, precision, soak=args.soak if number == 0 else 0)
        except SakedgeError as error:
            print(f"{precision}: left out: {error}")
            continue
        name = f"{args.name or args.student.stem}-{found.student['precision']}"
        with atomic_write(args.output / f"{name}.json") as file:
            file.write(f"{to_json(found.to_dict())}\n".encode())  # in one line: it may be kept
        write_record(found, args.output / f"{name}.html")
        assert found.results is not None
        print(
            f"{name}: {60 * found.results.throughput:.0f} images a minute, median "
            f"{found.results.latency_ms.median:.1f} ms; {args.output / name}.json and .html"
        )


def measure(args: argparse.Namespace, precision: str, soak: float) -> Record:
    """One precision."""
    plan = Plan(
        streams=numbers_of(args.streams),
        intervals=() if args.interval == "none" else pauses_of(args.interval),
        rounds=args.rounds,
        duration=args.seconds,
    )
    options: dict[str, Any] = {"backend": args.backend, "device": args.device}
    with progress_bar() as progress:
        return benchmark(
            args.student,
            (),
            plan,
            soak_minutes=soak or None,
            progress=lambda step, share: progress(f"{precision}, {step}", share),
            precision=precision,
            threads=args.threads,
            **options,
        )


if __name__ == "__main__":
    main()
