"""Whether a bundle is what was shipped: every byte of every file, before anything of it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sakedge.bundling.installer import envelope
from sakedge.bundling.installer.envelope import check_envelope
from sakedge.bundling.installer.keys import Trust, keyid_of, parse_key
from sakedge.bundling.installer.listing import digest_of, read_listing
from sakedge.bundling.installer.manifest import MAX_BYTES, Manifest, parse_manifest
from sakedge.bundling.installer.manifest import NAME as MANIFEST
from sakedge.bundling.installer.walk import Fault, compare, found_in
from sakedge.errors import BundleError, EnvelopeError, SakedgeError, StorageError
from sakedge.files.bounded import read_bounded

LISTING = "SHA256SUMS"
SIGNERS = "signers/"
_SHOWN = 20
_MAX_KEY = 4096

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        faults: All that is not as it was shipped; empty if the bundle is whole.
        listed: Path → SHA-256 of all files but the list and the envelope.
        digest: Of the list, and so of everything; None if that cannot be read.
        manifest: What is in it; None if that cannot be read.
        signers: Ids of the keys whose signatures are good, trusted or not.
        trusted: Those of them that are trusted here.
    """

    faults: tuple[Fault, ...]
    listed: Mapping[str, str]
    digest: str | None = None
    manifest: Manifest | None = None
    signers: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()


def check_bundle(
    folder: Path, trust: Trust, progress: Progress = lambda step, share: None
) -> Checked:
    """Checks a bundle, and tells all faults at once.

    Args:
        folder: The bundle.
        trust: Whom to trust.
        progress: Told of the share that was read.

    Raises:
        StorageError: The folder cannot be read.
        SignatureError, RevokedError: Too few trusted keys have signed it, and that is required.
    """
    found = found_in(folder)
    if LISTING not in found:
        raise BundleError(
            f"{folder} is no bundle",
            expected=f"a folder with {LISTING}, install.sh and more",
            remedy="Give the folder that `sakedge bundle make` wrote",
        )
    try:
        listed = read_listing(folder / LISTING)
    except SakedgeError as error:
        return Checked((Fault(LISTING, error.problem),), {})
    total, read = max(1, _size(folder, listed)), 0

    def seen(count: int) -> None:
        nonlocal read
        read += count
        progress("checking the bundle", min(1.0, read / total))

    known = (LISTING, envelope.NAME)
    faults = compare(folder, listed, found, seen=seen, known=lambda name: name in known)
    faulty = {fault.name for fault in faults}
    manifest, signers = None, tuple[str, ...]()
    try:
        content = read_bounded(folder / MANIFEST, MAX_BYTES, BundleError, may_be_link=False)
        manifest = parse_manifest(content, listed)
    except SakedgeError as error:
        faults += [] if MANIFEST in faulty else [Fault(MANIFEST, error.problem)]
    sums = _digest(folder / LISTING)
    if envelope.NAME in found:
        try:
            signers = _signers(folder, {**listed, LISTING: sums}, trust)
        except SakedgeError as error:
            faults.append(Fault(envelope.NAME, error.problem))
    elif manifest is not None and manifest.signed:
        faults.append(Fault(envelope.NAME, "is missing"))
    trusted = trust.check(signers) if not faults else ()
    return Checked(tuple(faults), listed, sums, manifest, signers, trusted)


def require_whole(checked: Checked, what: Path) -> Manifest:
    """The manifest of a bundle without faults.

    Raises:
        BundleError: It has some; each is named, up to twenty.
    """
    if checked.faults or checked.manifest is None:
        shown = "; ".join(map(str, checked.faults[:_SHOWN]))
        more = len(checked.faults) - _SHOWN
        raise BundleError(
            f"{what} is not what was shipped: {shown}{f'; and {more} more' if more > 0 else ''}",
            remedy="Copy the bundle again; nothing of it was used",
        )
    return checked.manifest


def _signers(folder: Path, files: Mapping[str, str], trust: Trust) -> tuple[str, ...]:
    text = read_bounded(
        folder / envelope.NAME, envelope.MAX_BYTES, EnvelopeError, may_be_link=False
    )
    brought = {}
    for name in files:
        if name.startswith(SIGNERS):
            raw = parse_key(read_bounded(folder / name, _MAX_KEY, may_be_link=False), name)
            brought[keyid_of(raw)] = raw
    return check_envelope(text, files, {**brought, **trust.keys})


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return digest_of(file)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error


def _size(folder: Path, listed: Mapping[str, str]) -> int:
    return sum((folder / name).lstat().st_size for name in listed if (folder / name).is_file())
