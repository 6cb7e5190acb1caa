"""A look at a repository without a memory."""

from __future__ import annotations

from pathlib import Path

from sakedge.files.bounded import read_bounded
from sakedge.trust.tuf.documents import MOST_BYTES
from sakedge.trust.tuf.folder import Folder
from sakedge.trust.tuf.trusted import Trusted, begin
from sakedge.trust.tuf.workflow import accept, follow_roots


def look(repository: str | Path, root: Path | None = None) -> Trusted:
    """What a repository lists, verified; whether it has expired is not asked.

    Args:
        repository: Its folder.
        root: The root of trust to begin with; None for the repository's own first one, which shows
            that it is whole and not whose it is.

    Raises:
        MetadataError, UnsafePathError: It is malformed, or files are missing.
        TrustError: It is not signed as its roots ask, or mixed of several times.
        StorageError: It cannot be read.
    """
    folder = Folder(repository)
    given = folder.metadata("root", 1) if root is None else read_bounded(root, MOST_BYTES["root"])
    return accept(follow_roots(begin(given), folder), folder)
