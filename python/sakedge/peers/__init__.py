"""Ours against the stock runtimes on the same student: fresh processes, in turn, pair by pair."""

from sakedge.peers.compare import compare
from sakedge.peers.lead import Lead, lead
from sakedge.peers.race import race
from sakedge.peers.summary import Row, summary
from sakedge.peers.types import Contestant, Plan, Race, Ratio, Sample

__all__ = [
    "Contestant",
    "Lead",
    "Plan",
    "Race",
    "Ratio",
    "Row",
    "Sample",
    "compare",
    "lead",
    "race",
    "summary",
]
