"""`install.sh`: what a person at the box calls."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sakedge.bundling.installer.building import OWN
from sakedge.bundling.installer.checking import check_bundle, require_whole
from sakedge.bundling.installer.installed import check_installed, check_place
from sakedge.bundling.installer.installing import install, signed_by
from sakedge.bundling.installer.keys import Trust, read_trust
from sakedge.bundling.installer.leaving import roll_back, uninstall
from sakedge.bundling.installer.machine import check_machine, find_python, version_of
from sakedge.bundling.installer.manifest import MAX_BYTES
from sakedge.bundling.installer.manifest import NAME as MANIFEST
from sakedge.bundling.installer.place import PREFIX, Place
from sakedge.errors import BundleError, SakedgeError
from sakedge.files.bounded import read_bounded
from sakedge.format.strict_json import loads
from sakedge.text import visible

_EPILOG = """Exit codes: 0 done, 1 refused or failed, 64 usage.
Without --key, and without keys in the site's folder, only damage is found: who made the bundle is
then not known."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the installer; returns its exit code."""
    os.umask(0o022)  # a service has to read what root installs
    given = _parser().parse_args(arguments)
    try:
        place = Place.at(given.prefix)
        trust = read_trust(place.site, given.key)
        _act(given, place, trust)
    except SakedgeError as error:
        _end_bar()
        print(visible(f"refused: {error}"), file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        _end_bar()
        print(visible(f"failed: {error}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: what ran before still runs", file=sys.stderr)
        return 130
    return 0


def _act(given: argparse.Namespace, place: Place, trust: Trust) -> None:
    if given.uninstall:
        uninstall(place, purge=given.purge, say=_say)
    elif given.rollback:
        roll_back(place, trust, _say)
    elif given.verify and given.installed:
        _go_on_with(_python_of(place))
        _verify_installed(place, trust)
    else:
        checked = check_bundle(given.bundle, trust, _show)
        manifest = require_whole(checked, given.bundle)
        vouched = signed_by(checked.signers, checked.trusted)
        found = f"{len(checked.listed)} files are what was shipped; {vouched}"
        if given.verify:
            _say(f"sakedge {manifest.sakedge} for {manifest.target}: {found}")
            return
        check_machine(manifest)
        python = find_python(manifest.python, manifest.target)
        _go_on_with(python)
        _say(found)
        name = install(given.bundle, checked, place, trust, python, _say, _show)
        _say(f"{name} runs: {place.launcher}")


def _verify_installed(place: Place, trust: Trust) -> None:
    name, faults = check_place(place)
    more, signers = check_installed(place, name, trust, _show)
    faults += more
    for fault in faults:
        _say(str(fault))
    if faults:
        raise BundleError(f"{name} in {place.prefix} is not what was shipped")
    vouched = signed_by(signers, trust.check(signers))
    _say(f"{name} in {place.prefix} is what was shipped; {vouched}")


def _python_of(place: Place) -> Path:
    """The Python of an installation, of which nothing is known yet but that it names one."""
    name, _ = check_place(place)
    content = read_bounded(place.versions / name / OWN / MANIFEST, MAX_BYTES, BundleError)
    version = loads(content, most_bytes=MAX_BYTES, most_keys=64).get("python", "")
    return find_python(str(version), name)


def _go_on_with(python: Path) -> None:
    """Goes on in another Python, if that is one of another version: bytecode has to be its own."""
    here = "{}.{}".format(*sys.version_info[:2])
    if sys.argv[0].endswith(".pyz") and version_of(python) not in (here, ""):
        os.execv(python, [str(python), "-I", *sys.argv])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.sh",
        description="Checks a bundle of sakedge byte for byte, and installs it without a network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.error = _usage  # type: ignore[method-assign,assignment]
    parser.add_argument("bundle", type=Path, help="the bundle's folder (default: this one)")
    parser.add_argument("--prefix", type=Path, default=PREFIX, help=f"where (default: {PREFIX})")
    parser.add_argument(
        "--key", type=Path, action="append", default=[], help="a public key that must have signed"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--verify", action="store_true", help="only check the bundle")
    what.add_argument("--rollback", action="store_true", help="run the version before again")
    what.add_argument("--uninstall", action="store_true", help="remove the program, keep its data")
    parser.add_argument(
        "--installed", action="store_true", help="with --verify: check what is installed instead"
    )
    parser.add_argument(
        "--purge", action="store_true", help="with --uninstall: remove students, store, log too"
    )
    return parser


def _usage(message: str) -> None:
    print(f"install.sh: {visible(message)}. See install.sh --help.", file=sys.stderr)
    sys.exit(64)


def _say(text: str) -> None:
    _end_bar()
    print(visible(text), flush=True)


def _show(step: str, share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{step} {share:4.0%}", end="", file=sys.stderr, flush=True)


def _end_bar() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
