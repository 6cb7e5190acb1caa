"""`sakedge bundle verify`: is a bundle, or an installation, what was shipped?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, progress_bar, say

if TYPE_CHECKING:
    from sakedge.bundling.installer.checking import Progress
    from sakedge.bundling.installer.keys import Trust
    from sakedge.bundling.installer.walk import Fault


def verify(
    what: Annotated[
        Path, typer.Argument(metavar="BUNDLE|PREFIX", help="A bundle, or where one is installed.")
    ],
    key: Annotated[
        list[Path] | None,
        typer.Option(metavar="KEY.pub", help="A public key that must have signed (repeat)."),
    ] = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Say byte for byte whether it is what was shipped. The exit code is 1 if it is not."""
    from sakedge.bundling.installer.keys import read_trust
    from sakedge.bundling.installer.place import Place

    is_installed = (what / "versions").is_dir()
    default = Place.at(what).site if is_installed else Path("/etc/sakedge")
    trust = read_trust(site or default, key or ())
    with progress_bar("checking") as progress:
        look = _installation if is_installed else _bundle
        about, faults, signers, trusted = look(what, trust, progress)
    if json:
        rows = [{"file": fault.name, "problem": fault.problem} for fault in faults]
        said: dict[str, Any] = {"signers": list(signers), "trusted": list(trusted)}
        print_json({"path": str(what), "what": about, "whole": not faults, "faults": rows, **said})
    else:
        for fault in faults:
            say(str(fault))
        say(f"{what} ({about}) {_verdict(faults, signers, trusted)}")
    if faults:
        raise typer.Exit(1)


_Found = tuple[str, "list[Fault]", "tuple[str, ...]", "tuple[str, ...]"]


def _bundle(what: Path, trust: Trust, progress: Progress) -> _Found:
    from contextlib import nullcontext

    from sakedge.bundling.archive import unpacked
    from sakedge.bundling.installer.checking import check_bundle

    with unpacked(what) if what.is_file() else nullcontext(what) as folder:
        found = check_bundle(folder, trust, progress)
    manifest = found.manifest
    about = f"sakedge {manifest.sakedge} for {manifest.target}" if manifest else "a bundle"
    return about, list(found.faults), found.signers, found.trusted


def _installation(what: Path, trust: Trust, progress: Progress) -> _Found:
    from sakedge.bundling.installer.installed import check_installed, check_place
    from sakedge.bundling.installer.place import Place

    place = Place.at(what)
    name, faults = check_place(place)
    more, signers = check_installed(place, name, trust, progress)
    return name, faults + more, signers, trust.check(signers)


def _verdict(faults: list[Fault], signers: tuple[str, ...], trusted: tuple[str, ...]) -> str:
    if faults:
        return f"is not what was shipped: {len(faults)} fault(s)"
    if trusted:
        return f"is what was shipped, signed by {', '.join(trusted)}"
    if signers:
        return f"is undamaged; {', '.join(signers)} signed it, and is not trusted here"
    return "is undamaged; nobody that is trusted here vouches for it"
