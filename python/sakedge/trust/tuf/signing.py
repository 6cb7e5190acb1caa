"""Makes metadata: signed for so many days from now, and read back as their reader will."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sakedge.arguments import by_name, in_range, one_of
from sakedge.files.atomic import atomic_write
from sakedge.trust.keys import PrivateKey
from sakedge.trust.library import needed
from sakedge.trust.tuf.documents import BUILT, DAYS, Document, read_document
from sakedge.trust.tuf.names import ROLES, Role, metadata_name
from sakedge.trust.tuf.times import to_text

if TYPE_CHECKING:
    from tuf.api.metadata import MetaFile

DEFAULT_DAYS: Mapping[Role, int] = {
    "root": 1825,
    "targets": 800,
    "snapshot": 400,
    "timestamp": 400,
}
"""A box that is visited at a yearly shutdown gets a month's grace; see docs/updates.md."""
MOST_DAYS = 36525
"""A century: what is later has nobody to answer for it."""


def check_days(given: Any) -> dict[Role, int]:
    """For how many days roles sign, where it is asked for.

    Raises:
        OptionError: A role is unknown, or a number is none from 1 to 36525.
    """
    days: dict[Role, int] = {}
    for role, number in by_name("expiries", given).items():
        one_of("role", role, ROLES)
        in_range(f"the days of {role}", number, low=1, high=MOST_DAYS, whole=True)
        days[cast("Role", role)] = int(number)
    return days


def days_of(signed: Any, days: Mapping[Role, int]) -> int:
    """For how many days metadata are to be signed: as asked for, or as they say, or by default.

    Raises:
        OptionError: What they say is no such number.
    """
    role: Role = signed.type
    stated: object = signed.unrecognized_fields.get(DAYS, DEFAULT_DAYS[role])
    wanted: dict[Role, object] = {role: days.get(role, stated)}
    return check_days(wanted)[role]


def sign(
    signed: Any, keys: Iterable[PrivateKey], now: datetime, days: Mapping[Role, int]
) -> Document[Any]:
    """Metadata, signed.

    Args:
        signed: What is to be signed; its expiry is set, to so many days as it says itself unless
            `days` does.
        keys: Those that sign.
        now: The time of signing.
        days: By role, for how many days from now on.

    Raises:
        MetadataError: They would be too large.
    """
    with needed("signing an update repository"):
        from tuf.api.metadata import Metadata
        from tuf.api.serialization.json import JSONSerializer

    role: Role = signed.type
    fields: dict[str, Any] = signed.unrecognized_fields
    fields |= {DAYS: days_of(signed, days), BUILT: to_text(now)}
    signed.expires = now + timedelta(days=fields[DAYS])
    metadata: Metadata[Any] = Metadata(signed)
    for key in keys:
        metadata.sign(key.signer(), append=True)
    content = metadata.to_bytes(JSONSerializer())
    return read_document(role, content, metadata_name(role, signed.version))


def meta_of(document: Document[Any]) -> MetaFile:
    """How other metadata name these: version, length and digest."""
    from tuf.api.metadata import MetaFile

    return MetaFile.from_data(document.version, document.content, ["sha256"])


def write(metadata: Path, document: Document[Any]) -> None:
    """Writes a file of metadata.

    Raises:
        StorageError: It cannot be written.
    """
    with atomic_write(metadata / metadata_name(document.role, document.version)) as file:
        file.write(document.content)
