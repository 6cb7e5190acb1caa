"""Where an installation lies: the program in versions, and what survives it beside."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sakedge.bundling.installer.listing import is_safe_path
from sakedge.errors import BundleError, InstallError
from sakedge.files.atomic import atomic_write, make_folder, storage_error, sync_folder
from sakedge.files.bounded import read_bounded
from sakedge.files.locked import locked
from sakedge.format.strict_json import loads

PREFIX = Path("/opt/sakedge")
INSTALLED = "installed.json"
"""Written last: a version without it is none."""
_MAX = 1 << 20
_WAIT = 2.0
"""Seconds for which another installer is waited for."""


@dataclass(frozen=True)
class Place:
    """The folders of an installation.

    Attributes:
        prefix: The program: `versions/`, `current`, `bin/sakedge`.
        data: Students and the store.
        site: Configuration, keys and the log.
    """

    prefix: Path
    data: Path
    site: Path

    @classmethod
    def at(cls, prefix: Path) -> Place:
        """The folders for a prefix; those of the default one are the program's own defaults."""
        prefix = prefix.absolute()
        if not all(is_safe_path(part) for part in prefix.parts[1:]):
            raise InstallError(
                f"{prefix} is no folder to install in",
                expected="a path of plain names",
                remedy="Give another one by --prefix",
            )
        if prefix == PREFIX:
            return cls(prefix, Path("/var/lib/sakedge"), Path("/etc/sakedge"))
        return cls(prefix, prefix / "var", prefix / "etc")

    @property
    def versions(self) -> Path:
        """A folder for each version."""
        return self.prefix / "versions"

    @property
    def current(self) -> Path:
        """A link to the version that runs."""
        return self.prefix / "current"

    @property
    def launcher(self) -> Path:
        """The command."""
        return self.prefix / "bin" / "sakedge"

    @property
    def students(self) -> Path:
        """Students by digest."""
        return self.data / "students"

    @property
    def store(self) -> Path:
        """The store of adapters."""
        return self.data / "store"

    def launch(self) -> bytes:
        """What the launcher holds."""
        python = shlex.quote(str(self.current / "bin" / "python3"))
        return f'#!/bin/sh\nexec {python} -I -m sakedge "$@"\n'.encode()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other installers out while the block runs.

        Raises:
            StorageError: One is at work, or the prefix cannot be written.
        """
        make_folder(self.versions)
        with locked(self.prefix / "lock", timeout=_WAIT):
            yield

    def running(self) -> str | None:
        """The name of the version that runs."""
        try:
            name = self.current.readlink().name
        except OSError:  # nothing was installed
            return None
        return name if (self.versions / name / INSTALLED).is_file() else None

    def switch(self, name: str) -> None:
        """Makes a version the one that runs: one renaming, which is whole or has not happened."""
        new = self.prefix / "current.new"
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            new.symlink_to(Path("versions", name))
            new.replace(self.current)
            sync_folder(self.prefix)
        except OSError as error:
            raise storage_error("cannot switch", self.current, error) from error

    def write_launcher(self) -> None:
        """Writes the command, where it is not there as it should be."""
        if self.launcher.is_file() and self.launcher.read_bytes() == self.launch():
            return
        make_folder(self.launcher.parent)
        with atomic_write(self.launcher) as file:
            os.fchmod(file.fileno(), 0o755)
            file.write(self.launch())


@dataclass(frozen=True)
class Record:
    """What a version remembers of its installation.

    Attributes:
        bundle: SHA-256 of the bundle's list.
        before: The version that ran when it was installed.
        student: Digest of its student's folder.
    """

    bundle: str
    before: str | None
    student: str

    def write(self, version: Path) -> None:
        """Writes it into a version's folder, which is complete by that."""
        with atomic_write(version / INSTALLED) as file:
            file.write(json.dumps(self.__dict__, indent=2).encode() + b"\n")

    @classmethod
    def read(cls, version: Path) -> Record:
        """Reads it.

        Raises:
            BundleError: It is damaged.
            StorageError: It cannot be read: the version is not complete.
        """
        try:
            content = read_bounded(version / INSTALLED, _MAX, BundleError, may_be_link=False)
            record = cls(**loads(content, most_bytes=_MAX, most_keys=8))
            is_name = record.before is None or is_safe_path(record.before)
            if not is_name or "/" in (record.before or "") or not is_safe_path(record.student):
                raise ValueError("it names no version")
            return record
        except (ValueError, TypeError, AttributeError) as error:
            raise BundleError(
                f"{version / INSTALLED} is damaged: {error}", remedy="Install the bundle again"
            ) from None
