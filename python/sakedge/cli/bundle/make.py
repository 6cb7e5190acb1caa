"""`sakedge bundle make`: all that a box without internet needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.bundle.options import TargetsFile
from sakedge.cli.options import Json, StudentPath
from sakedge.cli.output import print_facts, print_json, progress_bar, remark
from sakedge.errors import OptionError


def make(
    student: StudentPath,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="A new folder, or a new .tar.")
    ],
    target: Annotated[
        str, typer.Option(metavar="NAME", help="The machine; `sakedge bundle targets` lists them.")
    ],
    adapter: Annotated[
        list[Path] | None, typer.Option(metavar="PACK", help="A pack for the store (repeat).")
    ] = None,
    config: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file for the site's folder (repeat)."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Images that the installation is tried on.")
    ] = None,
    wheels: Annotated[
        Path, typer.Option(metavar="DIR", help="Wheels of sakedge, and any that are there already.")
    ] = Path("dist"),
    extra: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A further extra (repeat).")
    ] = None,
    cuda: Annotated[
        bool | None,
        typer.Option("--cuda/--no-cuda", help="The wheel with CUDA (default: by target)."),
    ] = None,
    lock: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A bundle's requirements.txt to use again.")
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(metavar="KEY", help="A private key that signs (repeat).")
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Leave it without signature.")
    ] = False,
    targets: TargetsFile = None,
    json: Json = False,
) -> None:
    """Put student, adapters, configuration and all wheels for one machine into a folder or file."""
    from sakedge.bundling.contents import gather
    from sakedge.bundling.make import Ask, check_output, make_bundle
    from sakedge.bundling.targets import find_target, read_targets
    from sakedge.trust.keys import PrivateKey, is_open

    if bool(key) == unsigned:
        raise OptionError(
            "who signs this bundle?",
            expected="--key KEY, or --unsigned",
            remedy="Make a key with `sakedge keys new`",
        )
    for each in key or ():
        if is_open(each):
            remark(f"warning: others may read {each}: run chmod 600 on it")
    check_output(output)
    ask = Ask(
        name=target,
        target=find_target(target, read_targets(targets)),
        wheels=wheels,
        extras=tuple(extra or ()),
        cuda=cuda,
        lock=lock,
        keys=tuple(PrivateKey.read(each) for each in key or ()),
    )
    contents = gather(student, adapter or (), config or (), images)
    with progress_bar() as progress:
        made = make_bundle(contents, output, ask, progress)
    for name in made.without_text:
        remark(f"note: the wheel of {name} brings no text of its licence")
    if json:
        print_json({**made.__dict__, "path": str(made.path)})
        return
    print_facts(
        f"{made.path}: a bundle for {target}",
        {
            "files": f"{made.files}, {made.size / 2**20:.1f} MiB",
            "packages": ", ".join(f"{name} {version}" for name, version in made.packages.items()),
            "signed by": ", ".join(made.signers) or "nobody",
            "installer": f"SHA-256 {made.installer} of installer.pyz",
            "digest": f"SHA-256 {made.digest} of SHA256SUMS, and so of everything",
        },
    )
