"""Builds a version of the program out of a bundle, beside the one that runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from sakedge.bundling.installer import bytecode, envelope
from sakedge.bundling.installer.checking import LISTING, Checked, Progress
from sakedge.bundling.installer.children import run_child
from sakedge.bundling.installer.environment import links, make_environment
from sakedge.bundling.installer.listing import digest_of, read_listing
from sakedge.bundling.installer.manifest import Manifest
from sakedge.bundling.installer.place import Place
from sakedge.bundling.installer.walk import found_in
from sakedge.errors import BundleError, InstallError
from sakedge.files.atomic import atomic_write, make_folder, storage_error

PROGRAM = "program.sha256"
"""In a bundle: the files of all its wheels as they lie when they are installed."""
LOCK = "requirements.txt"
OWN = "bundle"
"""In a version: what is kept of its bundle."""
WHEELS, STUDENT = "wheels/", "student/"
_PIP = (
    *("--isolated", "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir"),
    *("--require-hashes", "--no-warn-script-location", "--disable-pip-version-check"),
    "--root-user-action=ignore",
)


def build(
    bundle: Path,
    checked: Checked,
    manifest: Manifest,
    place: Place,
    name: str,
    python: Path,
    progress: Progress,
) -> None:
    """Builds a version; it counts as none until its record is written.

    What was checked is what is used: each file is copied once, its bytes are compared on the way,
    and everything else reads the copy.

    Args:
        bundle: The bundle, which was found whole.
        checked: What was found.
        manifest: What it says of itself.
        place: Where to.
        name: Of the version's folder, which is not there.
        python: The Python to use.
        progress: Told of the steps.

    Raises:
        BundleError: The bundle was changed meanwhile.
        InstallError: pip refused something.
        StorageError: Something cannot be written.
    """
    version = place.versions / name
    own = version / OWN
    try:
        make_environment(version, python, manifest.python)
        _copy(bundle, checked, place, own, progress)
        (version / "student").symlink_to(place.students / student_digest(checked.listed))
        progress("installing the wheels", 0.5)
        _run_pip(version, own, checked.listed)
        _take_away(version, own)
        shutil.rmtree(own / WHEELS)
    except OSError as error:
        raise storage_error("cannot install in", version, error) from error


def student_digest(listed: Mapping[str, str]) -> str:
    """The name of a student's folder: a digest of its files' names and bytes."""
    rows = "".join(f"{listed[n]} {n}\n" for n in sorted(listed) if n.startswith(STUDENT))
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


def _copy(bundle: Path, checked: Checked, place: Place, own: Path, progress: Progress) -> None:
    student = place.students / student_digest(checked.listed)
    files = {**checked.listed, LISTING: str(checked.digest)}
    for count, (name, sha256) in enumerate(files.items()):
        progress("copying", 0.5 * count / len(files))
        is_student = name.startswith(STUDENT)
        target = student / name[len(STUDENT) :] if is_student else own / name
        if is_student and _is_there(target, sha256):  # of the version that runs, perhaps
            continue
        make_folder(target.parent)
        with (bundle / name).open("rb") as source:
            if is_student:  # it survives this version: never half a file
                with atomic_write(target) as file:
                    digest = digest_of(source, copy=file)
            else:
                with target.open("xb") as file:
                    digest = digest_of(source, copy=file)
        if digest != sha256:
            raise BundleError(f"{name} was changed while it was copied", remedy="Copy it again")
    if checked.signers:
        shutil.copyfile(bundle / envelope.NAME, own / envelope.NAME)
    (own / "install.sh").chmod(0o755)


def _is_there(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return digest_of(file) == sha256


def _run_pip(version: Path, own: Path, listed: Mapping[str, str]) -> None:
    """Runs pip out of its own wheel, which needs neither ensurepip nor a system's pip."""
    wheel = next((name for name in listed if name.startswith(f"{WHEELS}pip-")), None)
    if wheel is None:
        raise BundleError("the bundle has no pip", remedy="Make the bundle again")
    command = (
        *(version / "bin" / "python3", "-I", own / wheel / "pip", *_PIP),
        *("--find-links", own / WHEELS, "-r", own / LOCK),
    )
    ran = run_child(command, quiet=True)
    if ran.returncode != 0:
        said = " ".join(ran.stderr.split()) or "nothing"
        raise InstallError(
            "pip refused the bundle's wheels",
            got=said[-800:],
            remedy="What ran before still runs; make the bundle for this machine",
        )


def _take_away(version: Path, own: Path) -> None:
    """Takes away what pip adds of its own, so that what is left are the wheels' files to the byte.

    These are scripts, which nobody needs beside `sakedge`, and notes on who installed what.
    """
    listed = read_listing(own / PROGRAM)
    for wheel in (own / WHEELS).glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(".dist-info/RECORD") and name.count("/") == 1:
                    path = next(p for p in listed if p.endswith(f"/site-packages/{name}"))
                    (version / path).write_bytes(archive.read(name))
    kept = {*listed, *links(Path()), "pyvenv.cfg", "student"}
    for name in found_in(version):
        is_own = name.startswith(f"{OWN}/")
        if name not in kept and not is_own and not bytecode.belongs(name, listed):
            (version / name).unlink()
    for folder, _, _ in os.walk(version, topdown=False):
        if not os.listdir(folder):  # noqa: PTH208, what is left of them is nothing
            os.rmdir(folder)  # noqa: PTH106
