"""The adapters of a device: every version, which are active, and the way back."""

from sakedge.store.entry import Entry
from sakedge.store.running import Running
from sakedge.store.state import Active, State
from sakedge.store.store import FOLDER, Store

__all__ = ["FOLDER", "Active", "Entry", "Running", "State", "Store"]
