"""A repository's folder, read as one that anyone may have written, e.g. on a USB stick."""

from __future__ import annotations

import os
from pathlib import Path

from sakedge.errors import MetadataError, UnsafePathError
from sakedge.files.bounded import read_bounded
from sakedge.files.paths import file_path
from sakedge.files.targets import is_link
from sakedge.trust.tuf.documents import MOST_BYTES
from sakedge.trust.tuf.names import METADATA, Role, metadata_name, target_path
from sakedge.trust.tuf.targets import Target

_AGAIN = "Copy the repository again, all of it"


class Folder:
    """Reads the files of a repository: regular ones in it, and of bounded size.

    Args:
        path: The repository's folder.

    Raises:
        OptionError: It is no path.
        MetadataError: It is no repository.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = file_path("a repository", path)
        if not os.path.lexists(self.path / METADATA):
            raise MetadataError(
                f"{self.path} is no update repository",
                expected=f"a folder with the folder {METADATA} in it",
                got="another folder" if os.path.lexists(self.path) else "nothing",
                remedy="Check the path, and that the stick or share is mounted",
            )

    def has_root(self, version: int) -> bool:
        """Whether there is this version of the root's metadata."""
        return os.path.lexists(self.path / METADATA / metadata_name("root", version))

    def metadata(self, role: Role, version: int) -> bytes:
        """A file of metadata; a timestamp has no version in its name.

        Raises:
            MetadataError: It is not there, or too large.
            UnsafePathError: It is a link.
            StorageError: It cannot be read.
        """
        name = metadata_name(role, version)
        return self._read((METADATA, name), MOST_BYTES[role])

    def target(self, target: Target) -> bytes:
        """The file of a target, which is what its metadata say.

        Raises:
            MetadataError: It is not there, or longer.
            ReplayError: It is another file.
            UnsafePathError: It is a link.
            StorageError: It cannot be read.
        """
        parts = target_path(target.name, target.sha256)
        content = self._read(parts, target.length)
        target.check(content)
        return content

    def _read(self, parts: tuple[str, ...], most: int) -> bytes:
        path = self.path
        for part in parts[:-1]:
            path = path / part
            if is_link(path):
                raise UnsafePathError(
                    f"{path} is a link", expected="the file itself", remedy=_AGAIN
                )
        path = path / parts[-1]
        if not os.path.lexists(path):
            raise MetadataError(
                f"the repository {self.path} lacks {'/'.join(parts)}", remedy=_AGAIN
            )
        return read_bounded(path, most, MetadataError, may_be_link=False)
