"""A delta that arrives in place of a pack: the pack that it makes of one that is in the store."""

from __future__ import annotations

from pathlib import Path

from sakedge.errors import WrongBaseError
from sakedge.files.mapped import MappedFile
from sakedge.format.delta import patch, read_info
from sakedge.site import Site
from sakedge.store.entry import entries
from sakedge.store.layout import Layout
from sakedge.store.packs import Incoming, check, file_name, read_envelope
from sakedge.store.state import State
from sakedge.trust.envelope import envelope_path

SUFFIX = ".sakdelta"


def is_delta(path: Path) -> bool:
    """Whether a file is a delta, by its name."""
    return SUFFIX in path.suffixes


def read_delta(layout: Layout, state: State, site: Site, path: Path) -> Incoming:
    """Makes a pack, byte for byte, of a delta and the pack in the store that it is based on.

    The pack's envelope lies beside the delta, under the pack's name: it is the pack that is signed
    for good, whichever way it came.

    Raises:
        WrongBaseError: The store does not have the pack that the delta is based on.
        DeltaError: It is malformed or damaged.
        TrustError: The site does not admit the delta.
        StorageError, StoreError, DigestError: It, or what it is based on, cannot be read.
    """
    delta = site.admit(path, "delta").content
    info = read_info(delta, path.name)
    bases = [each for each in entries(layout, state) if each.digest == info.old.sha256]
    if not bases:
        raise WrongBaseError(
            f"the store does not have the pack that {path.name} is based on",
            expected=f"SHA-256 {info.old.sha256}",
            remedy="Add that pack first, or add the whole new one",
        )
    new = patch(MappedFile(check(layout, bases[0])).data, delta, path.name)
    signed = read_envelope(envelope_path(path.with_name(info.name)))
    return Incoming(file_name(info.name), new, signed)
