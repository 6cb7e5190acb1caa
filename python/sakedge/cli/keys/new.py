"""`sakedge keys new`: a key pair, or the secret that opens encrypted files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.options import SiteFolder
from sakedge.cli.output import say

if TYPE_CHECKING:
    from sakedge.site import Site

PURPOSES = ("sign", "age", "gcm")


def new(
    name: Annotated[str, typer.Argument(help="Name of the files.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")
    ] = Path(),
    purpose: Annotated[
        str, typer.Option("--for", help="sign, or to encrypt: age, gcm (AES-256).")
    ] = "sign",
    site: SiteFolder = None,
) -> None:
    """Make a key. The private file is readable by its owner alone: keep it, and a copy, safe."""
    from sakedge.arguments import one_of
    from sakedge.files.atomic import make_folder
    from sakedge.files.names import given_stem
    from sakedge.site import Site

    one_of("purpose", purpose, PURPOSES)
    given_stem(name, [".key", ".pub"])
    where = Site.open(site)
    make_folder(output)
    if purpose == "sign":
        _new_pair(output / name, where)
    else:
        _new_secret(output / name, purpose)


def _new_pair(stem: Path, site: Site) -> None:
    from sakedge.trust.keys import PrivateKey, refuse_existing

    key = PrivateKey.generate()
    private, public = stem.with_name(f"{stem.name}.key"), stem.with_name(f"{stem.name}.pub")
    refuse_existing(private, public)
    site.record("key.new", subject=key.keyid, detail={"name": stem.name})
    key.write(private)
    key.public.write(public)
    say(f"{private}: signs; keep it secret")
    say(f"{public}: for whoever is to trust it")
    say(f"id {key.keyid}")


def _new_secret(stem: Path, purpose: str) -> None:
    from sakedge.trust.keys import write_private
    from sakedge.trust.secret_keys import new_age, new_gcm

    path = stem.with_name(f"{stem.name}.{purpose}")
    if purpose == "age":
        text, recipient = new_age()
        write_private(path, f"# public key: {recipient}\n{text}\n".encode())
        say(f"{path}: opens files; keep it secret")
        say(f"encrypt for {recipient}")
    else:
        write_private(path, f"{new_gcm()}\n".encode())
        say(f"{path}: encrypts and opens files; keep it secret")
