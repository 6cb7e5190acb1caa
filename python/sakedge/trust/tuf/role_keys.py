"""The keys of a publisher, found by their ids in one folder or two."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sakedge.errors import SignatureError
from sakedge.files.atomic import make_folder, storage_error
from sakedge.trust.keys import PrivateKey
from sakedge.trust.tuf.names import Role

SUFFIX = ".key"


class RoleKeys:
    """Private keys of roles, one a file, e.g. `timestamp-1.key`.

    Args:
        folder: Where the keys lie that are needed from day to day.
        root_folder: Where those of the root lie; elsewhere, at best.
    """

    def __init__(self, folder: Path, root_folder: Path) -> None:
        self._folder = folder
        self._root_folder = root_folder

    def make(self, role: Role, version: int) -> PrivateKey:
        """A key for a role; the one that an attempt that was cut off left is taken up.

        Args:
            role: The role.
            version: Of the root that will name it first.

        Raises:
            StorageError: It cannot be written.
            KeyFileError: What is there under its name is no key.
        """
        make_folder(self._of(role))
        path = self._of(role) / f"{role}-{version}{SUFFIX}"
        if os.path.lexists(path):
            return PrivateKey.read(path)
        key = PrivateKey.generate()
        key.write(path)
        return key

    def find(self, role: Role, keyids: Iterable[str]) -> PrivateKey:
        """The key with one of some ids.

        Raises:
            SignatureError: It is not there.
            KeyFileError: A file that may be it is no key.
        """
        wanted = set(keyids)
        for path in self._files(role):
            key = PrivateKey.read(path)
            if key.keyid in wanted:
                return key
        raise SignatureError(
            f"the key of the role {role} is not in {self._of(role)}",
            expected=f"a file {role}-*{SUFFIX} with key {', '.join(sorted(wanted))}",
            remedy="Give the folder that has it: --keys, and --root-keys for the root's",
        )

    def remove_others(self, role: Role, keyid: str) -> None:
        """Removes a role's keys but one: what was revoked is of no use but to a thief.

        Raises:
            StorageError: One cannot be removed.
        """
        for path in self._files(role):
            if PrivateKey.read(path).keyid != keyid:
                try:
                    path.unlink()
                except OSError as error:
                    raise storage_error("cannot remove", path, error) from error

    def _files(self, role: Role) -> list[Path]:
        return sorted(self._of(role).glob(f"{role}-*{SUFFIX}"))

    def _of(self, role: Role) -> Path:
        return self._root_folder if role == "root" else self._folder
