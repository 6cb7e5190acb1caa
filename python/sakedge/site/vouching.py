"""Who vouches for a file: an envelope beside it, the update repository, or both of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.errors import MetadataError, StorageError
from sakedge.files.bounded import read_bounded
from sakedge.files.mapped import MappedFile
from sakedge.site.admission import Admitted
from sakedge.site.policy import Policy
from sakedge.trust.envelope import read_envelope, verify_digest
from sakedge.trust.folders import files_in, verify_folder
from sakedge.trust.keyring import Keyring

if TYPE_CHECKING:
    from sakedge.trust.tuf.client import Client

ROOT = "root.json"
UPDATES = "updates"
_MAX_ROOT = 1 << 20


@dataclass(frozen=True)
class Vouching:
    """Checks files by what a policy requires.

    Attributes:
        folder: The site's; None is no site.
        policy: The policy.
        keyring: The keys that the site trusts.
    """

    folder: Path | None
    policy: Policy
    keyring: Keyring

    def check(self, file: Admitted, *, may_be_expired: bool) -> tuple[str, ...]:
        """Checks a file by its bytes as they lie, and returns the keys that signed it."""
        signers: tuple[str, ...] = ()
        name, threshold = file.path.name, self.policy.threshold
        if self.policy.requires("dsse"):
            envelope = read_envelope(file.path)
            found = verify_digest(file.sha256, name, envelope, self.keyring, threshold=threshold)
            signers = found.keyids
        if self.policy.requires("tuf"):
            self._client.check(name, file.stored, may_be_expired=may_be_expired)
        return signers

    def check_folder(self, folder: Path, *, may_be_expired: bool) -> None:
        """Checks every file of a folder."""
        if self.policy.requires("dsse"):
            verify_folder(folder, self.keyring, threshold=self.policy.threshold)
        if self.policy.requires("tuf"):
            client = self._client
            for name in files_in(folder):
                content = MappedFile(folder / name, may_be_link=False).data
                client.check(f"{folder.name}/{name}", content, may_be_expired=may_be_expired)

    @property
    def _client(self) -> Client:
        assert self.folder is not None, "no site requires nothing"
        return update_client(self.folder)


def update_client(folder: Path) -> Client:
    """What this machine knows of the update repository that it is served by.

    Args:
        folder: The site's.

    Raises:
        MetadataError: The site has no root of trust for it, or none that can be used.
        SignatureError: It is not signed by its own keys.
        StorageError: It cannot be read.
    """
    from sakedge.trust.tuf.client import Client

    try:
        root = read_bounded(folder / ROOT, _MAX_ROOT, MetadataError)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise MetadataError(
            f"{folder} has no root of trust for updates",
            expected=f"{ROOT}, from `sakedge repo init`",
            remedy="Copy it there when the machine is installed",
        ) from None
    return Client(root, folder / UPDATES)
