"""Units on this machine, or in the root of another: written, shown to systemd, removed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sakedge.errors import OptionError, StorageError
from sakedge.files.atomic import atomic_write, make_folder, storage_error
from sakedge.service.unit import SYSUSERS, SYSUSERS_TEXT, UNITS, USER, Service

_BOOTED = Path("/run/systemd/system")


def version() -> int:
    """The version of this machine's systemd; 0 if there is none."""
    try:
        ran = subprocess.run(["systemctl", "--version"], capture_output=True, text=True)
    except OSError:
        return 0
    found = re.match(r"systemd (\d+)", ran.stdout)
    return int(found[1]) if found else 0


def install(service: Service, root: Path) -> list[Path]:
    """Writes the unit, and the file that makes its user.

    Returns:
        What was written.

    Raises:
        StorageError: It cannot be written.
    """
    texts = {root / SYSUSERS: SYSUSERS_TEXT, root / UNITS / service.unit_name: service.unit}
    for path, text in texts.items():
        make_folder(path.parent)
        with atomic_write(path) as file:
            file.write(text.encode())
        path.chmod(0o644)
    return list(texts)


def require(name: str, root: Path) -> Path:
    """A line's unit.

    Raises:
        OptionError: There is none.
    """
    unit = root / UNITS / f"{USER}-{name}.service"
    if "/" in name or not unit.is_file():
        there = sorted(each.stem for each in (root / UNITS).glob(f"{USER}-*.service"))
        raise OptionError(
            f"no service of that name in {unit.parent}",
            expected=", ".join(each.removeprefix(f"{USER}-") for each in there) or "none is there",
            got=repr(name)[:80],
        )
    return unit


def uninstall(name: str, root: Path) -> list[Path]:
    """Removes a unit, and with the last one the file that makes the user.

    The line's file stays, and so do the folders of what it wrote.

    Returns:
        What was removed.

    Raises:
        OptionError: There is no such unit.
        StorageError: It cannot be removed.
    """
    unit = require(name, root)
    removed = [unit]
    try:
        unit.unlink()
        if not [*unit.parent.glob(f"{USER}-*.service")]:
            (root / SYSUSERS).unlink(missing_ok=True)
            removed.append(root / SYSUSERS)
    except OSError as error:
        raise storage_error("cannot remove", unit, error) from error
    return removed


def is_running_here(root: Path) -> bool:
    """Whether systemd runs this very machine, so that it can be told."""
    return root == Path("/") and _BOOTED.is_dir()


def tell(*commands: tuple[str, ...]) -> None:
    """Runs commands of systemd's, one after the other.

    Raises:
        StorageError: One failed; the message has its last line.
    """
    for command in commands:
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            said = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
            raise StorageError(f"{' '.join(command)} failed", got=said[-1][:300])
