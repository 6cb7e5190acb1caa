"""Compare ours with stock runtimes and write docs/performance.md: `python -m tools.bench_peers`."""

import argparse
import fnmatch
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tools.bench_peers.matrix import CASES, HEADLINE, PEERS, PRECISIONS, Case, contestants
from tools.bench_peers.peaks import peak
from tools.bench_peers.store import Entry, Store, stores
from tools.bench_peers.students import FOLDER, student

from sakedge.files.atomic import make_folder
from sakedge.format import StudentFile
from sakedge.peers import Plan, race, summary
from sakedge.runtime import machine
from sakedge.runtime.threads import resolve_threads

PAGE = Path("docs/performance.md")
MEASURED = Path("docs/performance")
QUICK = FOLDER / "quick"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_peers", description=__doc__)
    parser.add_argument(
        "what",
        choices=("all", "prepare", "run", "report"),
        default="all",
        nargs="?",
        help="prepare: make and quantise the students; run: measure; report: write the page",
    )
    parser.add_argument(
        "--machine", help=f"the CPU measured, e.g. zen-4: its results go to {MEASURED}/MACHINE"
    )
    parser.add_argument("--only", nargs="+", metavar="CASE", help="rows by name or glob")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--peers", choices=PEERS, help="instead of each row's own")
    parser.add_argument("--rounds", type=int, help="instead of each row's own")
    parser.add_argument("--threads", type=int, help="of each contestant")
    parser.add_argument(
        "--quick", action="store_true", help=f"tiny students, one round, results in {QUICK}"
    )
    parser.add_argument("--list", action="store_true", help="the rows' names, and nothing else")
    args = parser.parse_args()
    if args.list:
        print("\n".join(case.name for case in CASES))
        return
    chosen = [case for case in CASES if _is_asked_for(case, args.only)]
    if not chosen:
        parser.error(f"no row is called {' or '.join(args.only)}; --list prints their names")
    if args.peers:
        chosen = [replace(case, peers=args.peers) for case in chosen]
    if args.quick:
        chosen = [case.as_quick() for case in chosen]
    if args.what in ("all", "run") and not (args.machine or args.quick):
        parser.error("--machine says whose measurements these are, e.g. zen-4")
    measured = QUICK if args.quick else MEASURED
    if args.what in ("all", "prepare", "run"):
        for case in chosen:  # making it uses the cores too, so before the first measurement
            for precision in args.precision:
                contestants(case, precision, ())
    if args.what in ("all", "run"):
        store = Store(measured / (args.machine or "this-machine"))
        store.refuse_others(machine.describe())
        for case in chosen:
            for precision in args.precision:
                measure(store, case, precision, args.rounds, resolve_threads(args.threads))
    if args.what in ("all", "report"):
        from tools.bench_peers.report import write_report

        page = PAGE
        if args.quick:
            page = QUICK / PAGE.name
            make_folder(QUICK)
            shutil.copy(PAGE, page)
        write_report(stores(measured), page)
        print(f"written: {page}")


def _is_asked_for(case: Case, only: list[str] | None) -> bool:
    return only is None or any(fnmatch.fnmatch(case.name, pattern) for pattern in only)


def measure(store: Store, case: Case, precision: str, rounds: int | None, threads: int) -> None:
    """Runs one race, stores it and prints its rows."""
    path = student(case.spec)
    with StudentFile.open(path) as file:
        manifest, digest = file.manifest, file.content_digest
    plan = Plan(threads=threads, batch=case.batch, rounds=rounds or case.rounds)
    make_folder(case.spec.folder)
    load, begin = os.getloadavg()[0], time.monotonic()
    found = race(
        path,
        contestants(case, precision, store.rivals(HEADLINE, precision)),
        plan,
        reference=case.spec.folder / f"reference-{digest[:16]}-batch{case.batch}.npz",
    )
    found = replace(found, machine=_with_nncf(found.machine))
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    top = peak(precision, threads)
    store.add(Entry(case.name, precision, now, load, top, manifest, found))
    spent = time.monotonic() - begin
    print(f"{case.name} {precision}: {spent:.0f} s, load average before {load:.2f}", flush=True)
    for row in summary(found):
        if row.refused:
            print(f"  {row.label:<28} did not run: {row.refused}")
            continue
        shown = f"{row.logits_ms:9.1f} ms to logits"
        if row.decoded_ms is not None:
            shown += f" {row.decoded_ms:9.1f} ms to decoded outputs"
        if row.ratio is not None:
            shown += f"  {row.ratio.median:.2f} times ours"
        print(f"  {row.label:<28} {shown}", flush=True)


def _with_nncf(about: Mapping[str, Any]) -> dict[str, Any]:
    """The machine's description with the version of what quantised its students."""
    versions = dict(about["versions"])
    with suppress(PackageNotFoundError):
        versions["nncf"] = version("nncf")
    return {**about, "versions": versions}


if __name__ == "__main__":
    main()
