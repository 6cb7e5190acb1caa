"""`sakedge keys list|trust|revoke`: whom a site trusts."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.keys.place import keys_of
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, print_table, say
from sakedge.errors import OptionError, RevokedError


def list_keys(site: SiteFolder = None, json: Json = False) -> None:
    """Show the keys that a site trusts, and those that it has revoked."""
    _, folder, keyring = keys_of(site)
    found = [
        {
            "name": keyring.names.get(keyid),
            "id": keyid,
            "revoked": keyring.revoked[keyid].model_dump() if keyid in keyring.revoked else None,
        }
        for keyid in dict.fromkeys([*keyring.keys, *keyring.revoked])
    ]
    if json:
        print_json(found)
        return
    rows = []
    for keyid in (each["id"] for each in found):
        why = keyring.revoked.get(str(keyid))
        state = "trusted" if why is None else f"revoked {why.since} {why.reason}".strip()
        rows.append((keyring.names.get(str(keyid), ""), keyid, state))
    if rows:
        print_table(f"keys in {folder}", ("name", "id", "state"), rows)
    else:
        say(f"no keys in {folder}")


def trust(
    key: Annotated[Path, typer.Argument(metavar="KEY.pub", help="A public key.")],
    site: SiteFolder = None,
) -> None:
    """Trust a key: what it signs may run on this site. Compare its id with its owner first."""
    from sakedge.files.atomic import make_folder
    from sakedge.trust.keyring import SUFFIX
    from sakedge.trust.keys import PublicKey

    where, folder, keyring = keys_of(site)
    where.allow("administer")
    new = PublicKey.read(key)
    if new.keyid in keyring.revoked:
        raise RevokedError(
            f"key {new.keyid} was revoked here {keyring.revoked[new.keyid].since}",
            remedy="Let its owner make a new one: a revoked key is never trusted again",
        )
    if new.keyid in keyring.keys:
        say(f"{new.keyid} is trusted already, as {keyring.names[new.keyid]}")
        return
    name = key.name.removesuffix(SUFFIX)
    if name in keyring.names.values():
        raise OptionError(f"another key here is called {name}", remedy="Rename the file")
    make_folder(folder)
    where.record("key.trust", subject=new.keyid, detail={"name": name})
    new.write(folder / f"{name}{SUFFIX}")
    say(f"{new.keyid} is trusted, as {name}")


def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, 8 digits of it, or name.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    site: SiteFolder = None,
) -> None:
    """Revoke a key: what it alone signed is refused from now on, and it is never trusted again."""
    from sakedge.files.atomic import make_folder
    from sakedge.trust.keyring import Revocation
    from sakedge.trust.keyring import revoke as revoke_key

    where, folder, keyring = keys_of(site)
    where.allow("administer")
    keyid = keyring.find(key)
    if keyid in keyring.revoked:
        say(f"{keyid} is revoked already, since {keyring.revoked[keyid].since}")
        return
    now = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    if len(reason) > 256:
        raise OptionError("the reason is too long", expected="256 characters")
    make_folder(folder)
    where.record("key.revoke", subject=keyid, detail={"reason": reason})
    revoke_key(folder, keyid, Revocation(since=now, reason=reason))
    say(f"{keyid} is revoked")
    left = len(keyring.keys.keys() - keyring.revoked.keys() - {keyid})
    say(f"{left} trusted key(s) left")
