"""Installs a bundle beside what runs, tries it, and switches to it by one renaming."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from sakedge.bundling.installer.building import OWN, build, student_digest
from sakedge.bundling.installer.checking import Checked, Progress, require_whole
from sakedge.bundling.installer.children import run_child
from sakedge.bundling.installer.installed import check_installed
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.installer.machine import check_machine, check_space
from sakedge.bundling.installer.manifest import Manifest
from sakedge.bundling.installer.place import INSTALLED, Place, Record
from sakedge.errors import BundleError, InstallError, StorageError
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.files.temporary import sweep

Say = Callable[[str], None]
_DIGITS = 12


def install(
    bundle: Path,
    checked: Checked,
    place: Place,
    trust: Trust,
    python: Path,
    say: Say,
    progress: Progress,
) -> str:
    """Installs a bundle, or finds it installed; nothing that runs changes before the end.

    Args:
        bundle: The bundle's folder.
        checked: What was found when it was checked.
        place: Where to.
        trust: Whom to trust.
        python: The Python that it is for.
        say: Told what was done.
        progress: Told of the steps.

    Returns:
        The name of the version.

    Raises:
        BundleError: The bundle is not what was shipped.
        TrustError: It is not signed by whom this site trusts.
        InstallError: It is for another machine, or did not pass its trial.
        StorageError: Something cannot be written, or another installer is at work.
    """
    manifest = require_whole(checked, bundle)
    check_machine(manifest)
    sizes = sum((bundle / name).stat().st_size for name in checked.listed)
    check_space(place.prefix, sizes + manifest.installed_bytes)
    with place.held():
        clean(place)
        name = _sound(place, checked, trust, progress)
        if name is None:
            name = _free_name(place, manifest, checked)
            build(bundle, checked, manifest, place, name, python, progress)
            digest = checked.digest
            faults, _ = check_installed(place, name, trust, progress, digest=digest, whole=False)
            if faults:
                raise InstallError(
                    "what was installed is not what was shipped",
                    got=str(faults[0]),
                    remedy="What ran before still runs; copy the bundle again",
                )
        _try_out(place, name, manifest, say)
        place.write_launcher()
        before = place.running()
        if before != name:
            record(place, name, "bundle.install", before)
            # Every file of the version, before its record says that it is complete.
            sync_all(place.prefix, place.data)
            student = student_digest(checked.listed)
            Record(str(checked.digest), before, student).write(place.versions / name)
            place.switch(name)
        _configure(place, name, manifest, say)
        _remove_old(place, name)
    return name


def signed_by(signers: Sequence[str], trusted: Sequence[str]) -> str:
    """Who vouches for a bundle, in words."""
    if trusted:
        return f"signed by {', '.join(trusted)}, which is trusted here"
    if signers:
        return (
            f"signed by {', '.join(signers)}, which nobody here has vouched for: "
            "compare it with its owner's, or give his key by --key"
        )
    return "not signed: who made it is not known"


def clean(place: Place) -> None:
    """Removes what an installer that was killed has left."""
    with suppress(FileNotFoundError):
        (place.prefix / "current.new").unlink()
    for version in place.versions.iterdir():
        if not (version / INSTALLED).is_file():
            remove_folder(version)
    for folder in (place.prefix, place.launcher.parent, place.site):
        sweep(folder)
    for student in place.students.glob("*"):
        sweep(student)


def record(place: Place, name: str, action: str, before: str | None) -> None:
    """Lets a version write into the site's log, as its policy says.

    Args:
        place: The installation.
        name: The version that is to run, or to go.
        action: See `sakedge.audit.actions`.
        before: The version that runs.

    Raises:
        InstallError: It must be recorded, and cannot be.
    """
    call = ("record", action, name, "--before", before or "", "--site", place.site)
    if settle(place, name, *call) != 0:
        raise InstallError(
            "this cannot be recorded in the site's log, see above",
            got=f"{before} still runs" if before else None,
            remedy="Repair the log, or ask whoever keeps the site's policy",
        )


def settle(place: Place, name: str, *arguments: str | Path) -> int:
    """Lets a version do its own part of an installation; returns its exit code."""
    python = place.versions / name / "bin" / "python3"
    command = [python, "-I", "-m", "sakedge.bundling.settling", *arguments]
    return run_child(command, environment={"SAKEDGE_CACHE": "off"}).returncode


def sync_all(*folders: Path) -> None:
    """Makes all that was written on the disks of some folders durable."""
    try:
        from ctypes import CDLL

        sync = CDLL(None).syncfs  # not of every disk: one may be a slow stick
    except (ImportError, OSError, AttributeError):
        os.sync()
        return
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Removes a folder and all in it.

    Raises:
        StorageError: It cannot be.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(f"cannot remove {folder}: {error}") from error


def _sound(place: Place, checked: Checked, trust: Trust, progress: Progress) -> str | None:
    """A version that was installed from this very bundle, and is still what was shipped."""
    for version in sorted(place.versions.iterdir()):
        with suppress(BundleError, StorageError):
            if Record.read(version).bundle == checked.digest:
                faults, _ = check_installed(place, version.name, trust, progress)
                if not faults:
                    return version.name
    return None


def _free_name(place: Place, manifest: Manifest, checked: Checked) -> str:
    name = f"{manifest.sakedge}-{str(checked.digest)[:_DIGITS]}"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(each for each in names if not (place.versions / each).exists())


def _try_out(place: Place, name: str, manifest: Manifest, say: Say) -> None:
    """Lets the new version examine the machine, run its student and take in the adapters."""
    version = place.versions / name
    own = version / OWN
    say("trying it out:")
    code = settle(
        *(place, name, "try", version / manifest.student[0]),
        *("--store", place.store, "--site", place.site),
        *(part for each in manifest.adapters for part in ("--adapter", own / each)),
        *(part for each in manifest.images for part in ("--image", own / each)),
    )
    if code != 0:
        running = place.running()
        kept = f"{running} still runs" if running else "nothing is installed"
        raise InstallError(
            "the new version did not pass its trial, see above",
            got=kept,
            remedy="`sakedge doctor` explains most findings",
        )


def _configure(place: Place, name: str, manifest: Manifest, say: Say) -> None:
    """Brings configuration that is not there yet; what is there is the site's own."""
    for each in manifest.config:
        source = place.versions / name / OWN / each
        target = place.site / Path(each).name
        content = source.read_bytes()
        if target.exists() and target.read_bytes() == content:
            continue
        if target.exists():
            say(f"{target} stays as it is; the bundle's is {source}")
            continue
        make_folder(target.parent)
        with atomic_write(target) as file:
            file.write(content)
        say(f"wrote {target}")


def _remove_old(place: Place, name: str) -> None:
    """Keeps the version that runs and the one before it."""
    kept = {name, Record.read(place.versions / name).before}
    gone = [version for version in place.versions.iterdir() if version.name not in kept]
    students = set[str]()
    for version in gone:
        with suppress(BundleError, StorageError):
            students.add(Record.read(version).student)
        with suppress(FileNotFoundError):
            (version / INSTALLED).unlink()
        remove_folder(version)
    there = [version for version in place.versions.iterdir() if version.name in kept]
    used = {Record.read(version).student for version in there}
    for student in students - used:
        if (place.students / student).is_dir():
            remove_folder(place.students / student)
