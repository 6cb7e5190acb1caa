"""The append-only log of what was done, by whom, and with what result."""

from sakedge.audit.actions import ACTIONS
from sakedge.audit.checkpoint import Checkpoint, write_checkpoint
from sakedge.audit.entry import Entry
from sakedge.audit.log import AuditLog
from sakedge.audit.settings import AuditSettings
from sakedge.audit.verify import Verdict, entries, verify
from sakedge.audit.who import whoami

__all__ = [
    "ACTIONS",
    "AuditLog",
    "AuditSettings",
    "Checkpoint",
    "Entry",
    "Verdict",
    "entries",
    "verify",
    "whoami",
    "write_checkpoint",
]
