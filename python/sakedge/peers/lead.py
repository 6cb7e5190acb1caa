"""Where our lead comes from: how much of it is algebra, which `sakedge.export` gives to all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sakedge.peers.summary import Row, summary
from sakedge.peers.types import Race, Ratio


@dataclass(frozen=True)
class Lead:
    """Ours beside the fastest stock runtime, on the student's file and on the exported graph.

    Attributes:
        ours: Ours.
        file: The fastest on the student's file as it is.
        exported: The fastest on the exported graph; None if none was measured.
        both: The time on the file over ours to decoded outputs.
        algebra: The time on the file over that on the exported graph, both to logits.
        kernels: The time on the exported graph over ours to decoded outputs.
    """

    ours: Row
    file: Row
    exported: Row | None
    both: Ratio | None
    algebra: Ratio | None
    kernels: Ratio | None


def lead(race: Race) -> Lead | None:
    """Takes a race's lead apart; None where ours or no peer ran the student's file."""
    ours, *others = summary(race)
    rivals = [row for row in others if not row.name.startswith(ours.name)]  # no variants of ours
    file = fastest([row for row in rivals if not row.exported])
    exported = fastest([row for row in rivals if row.exported])
    if file is None or ours.decoded_ms is None:
        return None
    if exported is None:
        return Lead(ours, file, None, file.ratio, None, None)
    algebra = race.over(file.label, exported.label)
    return Lead(ours, file, exported, file.ratio, algebra, exported.ratio)


def fastest(rows: Sequence[Row]) -> Row | None:
    """The one with the least time to logits; None if none ran."""
    ran = [row for row in rows if row.logits_ms is not None]
    return min(ran, key=lambda row: row.logits_ms or 0.0, default=None)
