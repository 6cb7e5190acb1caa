"""Resolves what a target needs, and gets the wheels: uv resolves, pip downloads by hash."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sakedge.bundling.lock import Locked
from sakedge.bundling.own_wheel import NAME, fits
from sakedge.bundling.running import index_options, run
from sakedge.bundling.targets import Target
from sakedge.bundling.wheel import Wheel
from sakedge.errors import BundleError

_INSTALLER = "pip>=26.1.2"
"""Carried too: it installs the others, on boxes that have none."""

_UNWANTED = ("openvino-telemetry",)
"""What a package asks for, and works without: this one looks up a host when it is imported."""


def resolve(own: Wheel, extras: Sequence[str], target: Target, scratch: Path) -> list[str]:
    """The versions of all packages that a target needs, each with the hashes of all its wheels.

    Args:
        own: The wheel of sakedge.
        extras: Of sakedge.
        target: The target.
        scratch: A folder for files that are not kept.

    Returns:
        Lines of requirements, without sakedge.

    Raises:
        BundleError: uv is missing, or found no solution.
    """
    wanted, pins, found = scratch / "wanted.in", scratch / "pins.in", scratch / "found.txt"
    brackets = f"[{','.join(extras)}]" if extras else ""
    wanted.write_text(f"{NAME}{brackets} @ {own.path.absolute().as_uri()}\n{_INSTALLER}\n")
    pins.write_text("".join(f"{pin}\n" for pin in target.pins))
    platform = f"{target.machine}-manylinux_{target.glibc.replace('.', '_')}"
    run(
        "uv",
        [
            *("pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes"),
            *("--only-binary", ":all:", "--constraint", pins),
            *_but(NAME, *_UNWANTED),
            *("--python-version", target.python, "--python-platform", platform),
            # The best of all indexes, as pip does it.
            *("--index-strategy", "unsafe-best-match", *index_options()),
            *("--output-file", found, wanted),
        ],
    )
    text = re.sub(r"\\\n\s*", "", found.read_text())
    rows = [line.strip() for line in text.splitlines() if "--hash=" in line]
    if not rows:
        raise BundleError("uv resolved nothing", got=text[:200])
    return rows


def _but(*names: str) -> Iterator[str]:
    for name in names:
        yield from ("--no-emit-package", name)


def requirements(packages: Mapping[str, Locked]) -> list[str]:
    """The same lines of what is locked already, each with the one hash that is meant."""
    return [
        f"{name}=={each.version} --hash=sha256:{each.sha256}"
        for name, each in packages.items()
        if name != NAME
    ]


def take(packages: Mapping[str, Locked], there: Sequence[Wheel], folder: Path) -> set[str]:
    """Copies those wheels of a lock that are there already; returns their packages.

    Raises:
        BundleError: One is there that has the locked version and runs on the target, and is not
            the one that was locked.
    """
    taken = set()
    for name, locked in packages.items():
        same = [w for w in there if w.name == name and w.version == locked.version]
        good = [wheel for wheel in same if wheel.sha256 == locked.sha256]
        if good:
            shutil.copyfile(good[0].path, folder / good[0].path.name)
            taken.add(name)
        elif same:
            raise BundleError(
                f"{same[0].path.name} is not the wheel that was locked",
                expected=f"SHA-256 {locked.sha256}",
                got=", ".join(wheel.sha256 for wheel in same),
                remedy="Get it again, or leave --lock out to lock anew",
            )
    return taken


def download(rows: Sequence[str], target: Target, folder: Path, scratch: Path) -> None:
    """Downloads wheels into a folder; pip compares each with its hashes.

    Args:
        rows: Requirements with hashes.
        target: The target.
        folder: Where to.
        scratch: A folder for files that are not kept.

    Raises:
        BundleError: One cannot be had, or is not the one of its hash.
    """
    if not rows:
        return
    file = scratch / "requirements.txt"
    file.write_text("".join(f"{row}\n" for row in rows))
    major_minor = target.python.replace(".", "")
    run(
        "pip",
        [
            *("download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *("--disable-pip-version-check", "--progress-bar", "off"),
            *("--python-version", target.python, "--implementation", "cp"),
            *("--abi", f"cp{major_minor}", "--abi", "abi3", "--abi", "none"),
            *(f"--platform={platform}" for platform in target.platforms),
            *("--dest", folder, "--requirement", file),
        ],
    )


def lock_of(wheels: Sequence[Wheel], target: Target) -> dict[str, Locked]:
    """The lock of what was gathered.

    Raises:
        BundleError: A package is there twice, or does not run on the target.
    """
    found: dict[str, Locked] = {}
    for wheel in wheels:
        if wheel.name in found:
            raise BundleError(f"{wheel.name} is there twice", got=wheel.path.name)
        if not fits(wheel, target):
            raise BundleError(
                f"{wheel.path.name} does not run on the target",
                expected=f"Python {target.python}, {target.machine}, glibc {target.glibc}",
            )
        found[wheel.name] = Locked(wheel.version, wheel.sha256)
    return found
