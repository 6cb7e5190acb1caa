"""Makes a bundle: everything into one folder, a list of it, and signatures on the list."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sakedge.bundling.archive import SUFFIX, write_archive
from sakedge.bundling.contents import Contents
from sakedge.bundling.installer.building import LOCK, PROGRAM, WHEELS
from sakedge.bundling.installer.checking import LISTING, SIGNERS, check_bundle, require_whole
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.installer.listing import digest_of, write_listing
from sakedge.bundling.installer.manifest import NAME as MANIFEST
from sakedge.bundling.installer.manifest import Manifest
from sakedge.bundling.installer.walk import found_in
from sakedge.bundling.licences import write_licences
from sakedge.bundling.lock import read_lock, write_lock
from sakedge.bundling.own_wheel import NAME, choose
from sakedge.bundling.pyz import make_installer
from sakedge.bundling.resolving import download, lock_of, requirements, resolve, take
from sakedge.bundling.sbom import SBOM, make_sbom
from sakedge.bundling.targets import Target
from sakedge.bundling.vex.bill import parse_bill
from sakedge.bundling.vex.document import VEX, make_vex
from sakedge.bundling.vex.statements import read_statements
from sakedge.bundling.wheel import Wheel, wheels_in
from sakedge.errors import BundleError, OptionError
from sakedge.files.atomic import make_folder, storage_error, sync_folder
from sakedge.files.paths import check_path
from sakedge.progress import Progress
from sakedge.trust.folders import sign_folder
from sakedge.trust.keys import PrivateKey

LICENCES, INSTALLER, START = "licences", "installer.pyz", "install.sh"
_README = """sakedge {version} for {target}

Check and install, as root:   sh install.sh --key KEY.pub
Check alone:                  sh install.sh --verify --key KEY.pub
More:                         sh install.sh --help

KEY.pub is the public key of whoever made this bundle. It came to you by another way than this
bundle did, or its site's folder (/etc/sakedge/keys) has it: then leave --key out.

SHA256SUMS       every file here; `sha256sum -c SHA256SUMS` reads it too
requirements.txt every package, locked by hash; the wheels are in wheels/
sbom.cdx.json    all that is in here, in CycloneDX
vex.cdx.json     known weaknesses of that, and which of them matter here; newer than this
                 bundle: `sakedge bundle vex`
licences/        the licences of all that
"""


@dataclass(frozen=True)
class Ask:
    """What a bundle is made of besides its contents.

    Attributes:
        name: Of the target.
        target: The target.
        wheels: Folder of wheels: sakedge's own, and any that need not be downloaded.
        extras: Of sakedge, in addition to the target's.
        cuda: Whether the wheel with CUDA is taken; None is as the target says.
        lock: A lock to use again; None resolves anew.
        keys: Private keys that sign; none leaves it unsigned.
    """

    name: str
    target: Target
    wheels: Path
    extras: tuple[str, ...] = ()
    cuda: bool | None = None
    lock: Path | None = None
    keys: tuple[PrivateKey, ...] = ()


@dataclass(frozen=True)
class Made:
    """A bundle that was made.

    Attributes:
        path: Its folder or file.
        digest: SHA-256 of its list, and so of all of it.
        installer: SHA-256 of its installer.
        files: How many it has.
        size: Bytes.
        packages: Versions by name.
        without_text: Packages that bring no text of their licence.
        signers: Ids of the keys that signed.
    """

    path: Path
    digest: str
    installer: str
    files: int
    size: int
    packages: dict[str, str]
    without_text: tuple[str, ...] = ()
    signers: tuple[str, ...] = field(default=())


def make_bundle(contents: Contents, output: Path, ask: Ask, progress: Progress) -> Made:
    """Makes a bundle, as a whole or not at all.

    Args:
        contents: What goes into it.
        output: A folder that is not there yet, or a file that ends with `.tar`.
        ask: For which machine, and of what.
        progress: Called with the progress made.

    Raises:
        OptionError: Something is at `output` already.
        BundleError: No wheel fits, nothing resolves, or a wheel is not the one that was locked.
        StorageError: Something cannot be read or written.
    """
    check_output(output)
    make_folder(output.absolute().parent)
    try:
        with tempfile.TemporaryDirectory(
            prefix=".sakedge-bundle-", dir=output.absolute().parent, ignore_cleanup_errors=True
        ) as name:
            scratch = Path(name)
            folder = scratch / _stem(ask)
            (folder / WHEELS).mkdir(parents=True)
            made = _fill(folder, scratch, contents, ask, progress)
            progress("writing", 0.95)
            if output.suffix == SUFFIX:
                write_archive(folder, folder.name, output)
            else:
                folder.rename(output)
                sync_folder(output.absolute().parent)
    except OSError as error:
        raise storage_error("cannot make", output, error) from error
    progress("done", 1.0)
    return Made(output, *made)


def check_output(output: Path) -> None:
    """Refuses before any work what is there already.

    Raises:
        OptionError: Something is.
    """
    check_path(output)
    if os.path.lexists(output):
        raise OptionError(f"{output} is there already", remedy="Choose another name, or remove it")


def _stem(ask: Ask) -> str:
    return f"{NAME}-{ask.name}"


def _fill(
    folder: Path, scratch: Path, contents: Contents, ask: Ask, progress: Progress
) -> tuple[str, str, int, int, dict[str, str], tuple[str, ...], tuple[str, ...]]:
    wheels = _gather_wheels(folder / WHEELS, scratch, ask, progress)
    progress("listing the program", 0.6)
    python, program, size = ask.target.python, dict[str, str](), 0
    for wheel in wheels:
        for path, sha256, length in wheel.installed(python):
            if program.setdefault(path, sha256) != sha256:
                raise BundleError(f"two wheels bring another {path}", got=wheel.path.name)
            size += length
    (folder / PROGRAM).write_bytes(write_listing(program))
    lock = lock_of(wheels, ask.target)
    (folder / LOCK).write_bytes(write_lock(ask.name, lock))
    progress("copying", 0.7)
    contents.copy(folder)
    version = lock[NAME].version
    digests = {name: _digest(folder / name) for name in contents.files}
    licences = write_licences(wheels, contents.licences, folder / LICENCES)
    sbom = make_sbom(f"{_stem(ask)}-{version}", wheels, licences, digests)
    (folder / SBOM).write_bytes(sbom)
    (folder / VEX).write_bytes(make_vex(parse_bill(sbom, SBOM), read_statements()))
    installer = make_installer()
    (folder / INSTALLER).write_bytes(installer)
    shutil.copyfile(Path(__file__).with_name(START), folder / START)
    (folder / START).chmod(0o755)
    (folder / "README.txt").write_text(_README.format(version=version, target=ask.name))
    for key in ask.keys:
        (folder / SIGNERS).mkdir(exist_ok=True)
        (folder / SIGNERS / f"{key.keyid[:16]}.pub").write_bytes(key.public.pem)
    manifest = Manifest(
        target=ask.name,
        sakedge=version,
        python=python,
        machine=ask.target.machine,
        glibc=ask.target.glibc,
        signed=bool(ask.keys),
        # And as much again for bytecode.
        installed_bytes=2 * size,
        student=tuple(contents.student),
        adapters=tuple(contents.adapters),
        config=tuple(contents.config),
        images=tuple(contents.images),
    )
    (folder / MANIFEST).write_bytes(manifest.write())
    progress("signing" if ask.keys else "listing", 0.85)
    files = {name: _digest(folder / name) for name in found_in(folder)}
    (folder / LISTING).write_bytes(write_listing(files))
    for key in ask.keys:
        sign_folder(folder, key)
    trust = Trust({key.keyid: key.public.raw for key in ask.keys}, required=bool(ask.keys))
    progress("checking", 0.9)
    checked = check_bundle(folder, trust)  # as the box will
    require_whole(checked, folder)
    without = tuple(each.name for each in licences if not each.texts and each.name not in digests)
    total = sum((folder / name).stat().st_size for name in found_in(folder))
    packages = {name: each.version for name, each in lock.items()}
    own = files[INSTALLER]
    return (str(checked.digest), own, len(files), total, packages, without, checked.signers)


def _gather_wheels(folder: Path, scratch: Path, ask: Ask, progress: Progress) -> Sequence[Wheel]:
    """All wheels of the bundle: those of a lock, or those of a new one."""
    progress("looking at the wheels", 0.0)
    there = wheels_in(ask.wheels)
    if ask.lock is not None:
        packages = read_lock(ask.lock, ask.name)
        taken = take(packages, there, folder)
        if NAME not in taken:
            raise BundleError(
                f"{ask.wheels} has no wheel of sakedge {packages[NAME].version}, which is locked",
                remedy="Give the folder that the lock was made with, or leave --lock out",
            )
        rows = requirements({n: each for n, each in packages.items() if n not in taken})
    else:
        cuda = ask.target.cuda if ask.cuda is None else ask.cuda
        own = choose(there, ask.target, cuda=cuda, where=ask.wheels)
        shutil.copyfile(own.path, folder / own.path.name)
        progress("resolving", 0.05)
        extras = tuple(dict.fromkeys((*ask.target.extras, *ask.extras)))
        rows = resolve(own, extras, ask.target, scratch)
    progress(f"downloading {len(rows)} wheels", 0.1)
    download(rows, ask.target, folder, scratch)
    return wheels_in(folder)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return digest_of(file)
