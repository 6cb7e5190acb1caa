"""The site's audit log, opened when the first entry comes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.errors import FileFormatError, SakedgeError, StorageError
from sakedge.logs import LOG
from sakedge.site.policy import FILE, Audit
from sakedge.trust.keys import PrivateKey

if TYPE_CHECKING:
    from sakedge.audit import AuditLog


class Journal:
    """Writes entries as the policy says.

    Args:
        folder: The site's.
        settings: From the policy.
        policy: Digest of the policy's file, which the first entry of each process records.
    """

    def __init__(self, folder: Path, settings: Audit, policy: str) -> None:
        self._folder, self._settings, self._policy = folder, settings, policy
        self._log: AuditLog | None = None
        self._seen = 0
        self._lock = threading.Lock()

    def record(self, action: str, fields: Mapping[str, Any]) -> None:
        """Appends an entry, and a checkpoint when one is due.

        Raises:
            StorageError, AuditError: It could not be written, and the policy requires that it is.
        """
        try:
            entry = self._opened().append(action, **fields)
            self._checkpoint_if_due(entry.seq)
        except (StorageError, FileFormatError) as error:
            if self._settings.required:
                raise type(error)(
                    f"what is done here must be recorded, and could not be: {error.problem}",
                    expected=error.expected,
                    got=error.got,
                    remedy=error.remedy or "Look into the audit log's folder",
                ) from error
            LOG.warning("could not be recorded in the audit log: %s", error)

    def _opened(self) -> AuditLog:
        from sakedge.audit import AuditLog, AuditSettings

        with self._lock:
            if self._log is None:
                place = self._settings
                settings = AuditSettings(rotate_bytes=place.rotate_bytes, sync=place.sync)
                log = AuditLog.open(self._folder / (place.folder or "audit"), settings)
                begin = log.append(
                    "policy.load", subject=str(self._folder / FILE), new=self._policy
                )
                self._log, self._seen = log, begin.seq - 1
        return self._log

    def _checkpoint_if_due(self, seq: int) -> None:
        """Signs a checkpoint. Where that fails, the entry itself is written all the same."""
        key, every = self._settings.checkpoint_key, self._settings.checkpoint_every
        with self._lock:
            # The entry of the round number itself may have been another process's.
            is_due = seq // every > self._seen // every
            self._seen = max(seq, self._seen)
        if key is None or not is_due:
            return
        from sakedge.audit import write_checkpoint

        folder = self._folder / (self._settings.checkpoint_folder or "checkpoints")
        try:
            signed = self._opened().checkpoint(PrivateKey.read(self._folder / key))
            write_checkpoint(folder, signed)
        except SakedgeError as error:
            LOG.warning("no checkpoint of the audit log was made: %s", error)
