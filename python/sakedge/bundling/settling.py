"""What a version does for its own installation, before it runs: the installer calls it by `-m`.

It examines the machine, runs its student, takes in the adapters, and writes into the site's log.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sakedge.api import load
from sakedge.assets import samples
from sakedge.checks.doctor import examine
from sakedge.checks.verify import verify
from sakedge.errors import InstallError, SakedgeError
from sakedge.files.atomic import is_there
from sakedge.site import Site
from sakedge.store import Store
from sakedge.text import visible


def try_out(student: Path, images: Sequence[Path]) -> None:
    """Examines the machine, and runs the student, whose logits are compared with a stock runtime's.

    Args:
        student: The student.
        images: Images to run; without any the samples of sakedge.

    Raises:
        InstallError: Something that is needed is missing, or the numbers differ.
        SakedgeError: The student does not run.
    """
    for finding in examine().findings:
        if finding.status in ("warning", "failure"):
            _say(f"{finding.status}: {finding.topic}: {finding.text}")
        if finding.status == "failure":
            raise InstallError(f"{finding.topic}: {finding.text}", remedy=finding.remedy)
    with load(student) as loaded:
        for image in images or samples():
            result = loaded(image)
            _say(f"{image.name}: {', '.join(loaded.tasks)} in {sum(result.speed.values()):.0f} ms")
    found = verify(student, list(images)[:1], precision="auto")
    for each in found.comparisons:
        if not each.agrees:
            raise InstallError(
                f"{each.task} in {each.backend} differs from stock ONNX Runtime",
                expected=f"at most {found.tolerance:g} of its range",
                got=f"{each.error:.2g}",
            )
    _say(f"{len(found.comparisons)} comparisons with stock ONNX Runtime agree")


def take_in(adapters: Sequence[Path], store: Path, site: Site) -> None:
    """Adds packs to the store, where they wait to be activated.

    Raises:
        SakedgeError: The site's policy refuses one, or the store cannot be used.
    """
    if not adapters:
        return
    is_new = not is_there(store / "store.json")
    there = Store.create(store, site=site) if is_new else Store.open(store, site=site)
    for pack in adapters:
        entry = there.add(pack)
        _say(f"{entry.name} {entry.version} is in {store}, to be activated")


def main(arguments: Sequence[str] | None = None) -> int:
    """Does one of the two; returns an exit code."""
    parser = argparse.ArgumentParser(prog="sakedge.bundling.settling")
    verbs = parser.add_subparsers(dest="verb", required=True)
    trial, note = verbs.add_parser("try"), verbs.add_parser("record")
    for each in (trial, note):
        each.add_argument("--site", type=Path, required=True)
    trial.add_argument("student", type=Path)
    trial.add_argument("--store", type=Path, required=True)
    trial.add_argument("--adapter", type=Path, action="append", default=[])
    trial.add_argument("--image", type=Path, action="append", default=[])
    note.add_argument("action")
    note.add_argument("version")
    note.add_argument("--before", default="")
    given = parser.parse_args(arguments)
    try:
        # A prefix of its own without a policy is under the machine's.
        site = Site.open(given.site if is_there(given.site / "policy.json") else None)
        if given.verb == "try":
            try_out(given.student, given.image)
            take_in(given.adapter, given.store, site)
        else:
            site.record(given.action, subject=given.version, detail={"before": given.before})
    except SakedgeError as error:
        print(visible(str(error)), file=sys.stderr)
        return 1
    return 0


def _say(text: str) -> None:
    print(f"  {visible(text)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
