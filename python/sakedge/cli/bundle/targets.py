"""`sakedge bundle targets`: for which machines there can be a bundle."""

from __future__ import annotations

from sakedge.cli.bundle.options import TargetsFile
from sakedge.cli.options import Json
from sakedge.cli.output import print_json, print_table


def targets(targets: TargetsFile = None, json: Json = False) -> None:
    """List the machines that a bundle can be made for."""
    from sakedge.bundling.targets import read_targets

    found = read_targets(targets)
    if json:
        print_json({name: target.model_dump(mode="json") for name, target in found.items()})
        return
    print_table(
        "targets",
        ("name", "what", "Python", "machine", "glibc", "CUDA", "extras", "pins"),
        [
            (
                *(name, each.about, each.python, each.machine, each.glibc),
                *("yes" if each.cuda else "", ", ".join(each.extras), ", ".join(each.pins)),
            )
            for name, each in found.items()
        ],
    )
