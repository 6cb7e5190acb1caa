"""`sakedge keys sign|verify`: who made a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from sakedge.cli.keys.place import keys_of
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, remark, say
from sakedge.errors import FileFormatError, TrustError
from sakedge.files.atomic import is_folder

if TYPE_CHECKING:
    from sakedge.trust.envelope import Signed
    from sakedge.trust.keyring import Keyring

Files: TypeAlias = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Packs, deltas, students; or folders, as a whole."),
]


def sign(
    files: Files,
    key: Annotated[Path, typer.Option(metavar="KEY", help="The private key that signs.")],
    site: SiteFolder = None,
) -> None:
    """Sign files: FILE.dsse.json beside each. One that another key signed gets both signatures."""
    from sakedge.site import Site
    from sakedge.trust.describing import predicate
    from sakedge.trust.envelope import sign_file
    from sakedge.trust.folders import sign_folder
    from sakedge.trust.keys import PrivateKey, is_open

    if is_open(key):
        remark(f"warning: others may read {key}: run chmod 600 on it")
    where, signer = Site.open(site), PrivateKey.read(key)
    for path in files:
        said = {} if is_folder(path) else predicate(path)
        where.record("key.sign", subject=path.name, detail={"key": signer.keyid})
        if is_folder(path):
            written = sign_folder(path, signer)
        else:
            written = sign_file(path, signer, predicate=said)
        say(f"{written}: signed with {signer.keyid}")


def verify(files: Files, site: SiteFolder = None, json: Json = False) -> None:
    """Check files against the keys of a site. The exit code is 1 if one of them is not trusted."""
    where, _, keyring = keys_of(site)
    found = [_verified(path, keyring, where.policy.threshold) for path in files]
    if json:
        print_json(found)
    else:
        for each in found:
            say(f"{each['file']}: {each['refused'] or _about(each)}")
    if any(each["refused"] for each in found):
        raise typer.Exit(1)


def _verified(path: Path, keyring: Keyring, threshold: int) -> dict[str, Any]:
    try:
        found = _check(path, keyring, threshold)
    except (TrustError, FileFormatError) as error:
        return {"file": str(path), "signers": {}, "says": {}, "refused": str(error)}
    signers = {keyid: keyring.names.get(keyid, "") for keyid in found.keyids}
    return {"file": str(path), "signers": signers, "says": dict(found.predicate), "refused": None}


def _check(path: Path, keyring: Keyring, threshold: int) -> Signed:
    from sakedge.files.mapped import MappedFile
    from sakedge.trust.envelope import read_envelope, verify_content
    from sakedge.trust.folders import verify_folder

    if is_folder(path):
        return verify_folder(path, keyring, threshold=threshold)
    envelope, content = read_envelope(path), MappedFile(path).data
    return verify_content(content, path.name, envelope, keyring, threshold=threshold)


def _about(found: dict[str, Any]) -> str:
    signers = ", ".join(f"{name} ({keyid[:16]}…)" for keyid, name in found["signers"].items())
    said = [str(found["says"][key]) for key in ("kind", "name", "version") if key in found["says"]]
    return f"signed by {signers}, who calls it: {' '.join(said) or 'nothing'}"
