"""Whether an installation is what was shipped, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sakedge.bundling.installer import bytecode, envelope
from sakedge.bundling.installer.building import OWN, PROGRAM, STUDENT, WHEELS, student_digest
from sakedge.bundling.installer.checking import LISTING, Progress
from sakedge.bundling.installer.environment import links, settings
from sakedge.bundling.installer.keys import Trust, keyid_of, read_key
from sakedge.bundling.installer.listing import digest_of, read_listing
from sakedge.bundling.installer.place import INSTALLED, Place, Record
from sakedge.bundling.installer.walk import Fault, compare, found_in
from sakedge.errors import BundleError, EnvelopeError, SakedgeError
from sakedge.files.bounded import read_bounded


def check_installed(
    place: Place,
    name: str,
    trust: Trust,
    progress: Progress = lambda step, share: None,
    *,
    digest: str | None = None,
    whole: bool = True,
) -> tuple[list[Fault], tuple[str, ...]]:
    """Checks a version: program, bytecode, student and what it keeps of its bundle.

    The list of the program is in the bundle's list, and that is under the bundle's signature.

    Args:
        place: The installation.
        name: Of the version.
        trust: Whom to trust.
        progress: Told of the steps.
        digest: Of its bundle's list; None is the one in its record.
        whole: Whether bytecode is compared with its sources too, which takes longest.

    Returns:
        All that is not as it was shipped, and the keys that signed, trusted or not.

    Raises:
        SignatureError, RevokedError: Too few trusted keys have signed it, and that is required.
        BundleError, StorageError: It cannot be read.
    """
    version = place.versions / name
    own = version / OWN
    faults, signers = [], tuple[str, ...]()
    listed = read_listing(own / LISTING)
    expected = Record.read(version).bundle if digest is None else digest
    with (own / LISTING).open("rb") as file:
        sums = digest_of(file)
    if sums != expected:
        faults.append(Fault(f"{OWN}/{LISTING}", "is not that of the bundle installed here"))
    try:
        signers = _signers(own, {**listed, LISTING: sums}, trust)
    except SakedgeError as error:
        faults.append(Fault(f"{OWN}/{envelope.NAME}", error.problem))
    progress("checking what is kept of the bundle", 0.0)
    kept = {n: s for n, s in listed.items() if not n.startswith((WHEELS, STUDENT))}
    own_found = compare(own, kept, found_in(own), known={LISTING, envelope.NAME}.__contains__)
    faults += [Fault(f"{OWN}/{fault.name}", fault.problem) for fault in own_found]
    progress("checking the student", 0.1)
    faults += _student(place, version, listed)
    progress("checking the program", 0.2)
    faults += _program(version, own, whole, progress)
    trust.check(signers)
    return faults, signers


def check_place(place: Place) -> tuple[str, list[Fault]]:
    """The version that runs, and what is wrong with the command that starts it.

    Raises:
        BundleError: Nothing is installed there.
    """
    name = place.running()
    if name is None:
        raise BundleError(
            f"nothing is installed in {place.prefix}", remedy="Give another folder by --prefix"
        )
    is_ours = place.launcher.is_file() and place.launcher.read_bytes() == place.launch()
    return name, [] if is_ours else [Fault("bin/sakedge", "is missing or was changed")]


def _signers(own: Path, files: dict[str, str], trust: Trust) -> tuple[str, ...]:
    if not (own / envelope.NAME).is_file():
        if any(name.startswith("signers/") for name in files):
            raise EnvelopeError("is missing")
        return ()
    brought = [read_key(own / name) for name in files if name.startswith("signers/")]
    text = read_bounded(own / envelope.NAME, envelope.MAX_BYTES, EnvelopeError, may_be_link=False)
    return check_envelope_of(text, files, brought, trust)


def check_envelope_of(
    text: bytes, files: dict[str, str], brought: list[bytes], trust: Trust
) -> tuple[str, ...]:
    """`check_envelope` with the keys that a bundle brings and those that are trusted."""
    keys = {**{keyid_of(raw): raw for raw in brought}, **trust.keys}
    return envelope.check_envelope(text, files, keys)


def _student(place: Place, version: Path, listed: dict[str, str]) -> Iterator[Fault]:
    folder = place.students / student_digest(listed)
    if _target(version / "student") != str(folder):
        yield Fault("student", f"is no link to {folder}")
    files = {n[len(STUDENT) :]: s for n, s in listed.items() if n.startswith(STUDENT)}
    found = found_in(folder) if folder.is_dir() else {}
    for fault in compare(folder, files, found):
        yield Fault(f"{folder / fault.name}", fault.problem)


def _program(version: Path, own: Path, whole: bool, progress: Progress) -> list[Fault]:
    listed = read_listing(own / PROGRAM)
    python = Path(_target(version / "bin" / "python3"))
    expected_links = links(python)
    found = {n: kind for n, kind in found_in(version).items() if not n.startswith(f"{OWN}/")}

    def known(name: str) -> bool:
        is_ours = name in (*expected_links, "pyvenv.cfg", "student", INSTALLED)
        return is_ours or bytecode.belongs(name, listed)

    faults = compare(version, listed, found, known=known)
    for path, target in expected_links.items():
        if _target(version / path) != target:
            faults.append(Fault(path, f"is no link to {target}"))
    if not python.is_absolute() or python.is_relative_to(version.parent.parent):
        faults.append(Fault("bin/python3", f"leads to {python}, which is not this system's Python"))
    config = version / "pyvenv.cfg"
    if not config.is_file() or config.read_bytes() != settings(python):
        faults.append(Fault("pyvenv.cfg", "was changed"))
    compiled = [name for name in found if name not in listed and bytecode.belongs(name, listed)]
    faulty = {fault.name for fault in faults}
    for count, name in enumerate(compiled if whole else ()):
        progress("comparing bytecode with its sources", 0.2 + 0.8 * count / len(compiled))
        is_sound = bytecode.source_of(name) not in faulty and found[name] == "file"
        if not is_sound or not bytecode.is_compiled(version, name):
            faults.append(Fault(name, "is not what its source compiles to"))
    return faults


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
