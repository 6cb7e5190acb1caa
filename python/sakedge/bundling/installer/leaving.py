"""The ways back: to the version before, and to none."""

from __future__ import annotations

from contextlib import suppress

from sakedge.bundling.installer.installed import check_installed, check_place
from sakedge.bundling.installer.installing import Say, clean, record, remove_folder
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.installer.place import Place, Record
from sakedge.errors import BundleError, InstallError
from sakedge.files.atomic import sync_folder


def roll_back(place: Place, trust: Trust, say: Say) -> str:
    """Makes the version before run again.

    Returns:
        Its name.

    Raises:
        BundleError: Nothing is installed, or the version before is damaged.
        InstallError: There is none.
        TrustError: It is not signed by whom this site trusts.
        StorageError: It cannot be switched.
    """
    with place.held():
        name, _ = check_place(place)
        before = Record.read(place.versions / name).before
        if before is None or not (place.versions / before).is_dir():
            raise InstallError(
                f"there is no version before {name}", remedy="Install its bundle again"
            )
        faults, _ = check_installed(place, before, trust, whole=False)
        if faults:
            raise BundleError(
                f"{before} is not what was shipped: {'; '.join(map(str, faults[:5]))}",
                got=f"{name} still runs",
                remedy="Install its bundle again",
            )
        record(place, before, "bundle.rollback", name)
        place.switch(before)
        say(f"{before} runs again; {name} stays until the next installation")
    return before


def uninstall(place: Place, *, purge: bool, say: Say) -> None:
    """Removes the program; students, adapters, configuration and log stay, unless they are purged.

    Raises:
        StorageError: Something cannot be removed.
    """
    with place.held():
        name = place.running()
        if name is not None:
            try:
                record(place, name, "bundle.uninstall", name)
            except InstallError as error:  # a program that is broken must go all the same
                say(str(error))
        # First what starts it: a version that is half removed never runs.
        for path in (place.current, place.launcher):
            with suppress(FileNotFoundError):
                path.unlink()
        sync_folder(place.prefix)
        clean(place)
        remove_folder(place.versions)
        with suppress(OSError):  # somebody else's command is in it
            place.launcher.parent.rmdir()
        if purge:
            for folder in (place.data, place.site):
                if folder.is_dir():
                    remove_folder(folder)
        (place.prefix / "lock").unlink()
    with suppress(OSError):  # what stays lies in it
        place.prefix.rmdir()
    say(f"removed the program from {place.prefix}")
    if not purge:
        say(f"students and adapters are in {place.data}, configuration in {place.site}")
