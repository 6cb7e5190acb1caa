"""`sakedge keys encrypt`: a pack, delta or student that only a site with the key can open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.output import say
from sakedge.cli.written import check_output
from sakedge.errors import EncryptionError, OptionError


def encrypt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to encrypt.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The encrypted file.")
    ],
    recipients: Annotated[
        list[str] | None, typer.Option("--for", metavar="age1…", help="Who can open it, by age.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="KEY.gcm", help="Or the AES-256 key that opens it.")
    ] = None,
) -> None:
    """Encrypt a file. Sign it after this: what is signed is the file as it lies."""
    from sakedge.files.atomic import atomic_write
    from sakedge.files.bounded import read_bounded
    from sakedge.site.admission import MAX_BYTES
    from sakedge.trust.encryption import encrypt_age, encrypt_gcm
    from sakedge.trust.secret_keys import key_file, read_secrets

    if bool(recipients) == (key is not None):
        raise OptionError("for whom?", expected="either --for or --key")
    check_output(output, [file])
    content = read_bounded(file, MAX_BYTES)
    if key is None:
        sealed = encrypt_age(content, recipients or [])
    else:
        keys = read_secrets(key_file(key)).gcm
        if not keys:
            raise EncryptionError(f"{key} holds no AES key", remedy="Give an age key by --for")
        sealed = encrypt_gcm(content, keys[0])
    with atomic_write(output) as written:
        written.write(sealed)
    say(f"{output}: {len(sealed)} bytes, encrypted")
