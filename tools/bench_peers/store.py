"""The measurements in one JSON file: one entry per case and precision, the newest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from sakedge.files.atomic import atomic_write, make_folder
from sakedge.format import Manifest
from sakedge.peers import Race, Sample

_DETAILS = ("backend", "session", "precision", "precision_reason", "isa", "threads")


@dataclass(frozen=True)
class Entry:
    """One race of the matrix.

    Attributes:
        case: Name of the row.
        precision: Of all contestants.
        taken: When it ended, UTC.
        load: The machine's load average over the minute before it began.
        peak: Arithmetic peak of the contestants' threads at this precision, in 1e9 operations per
            second (a multiply-accumulate is two), measured at the same time; None if it was not.
        manifest: Of the student.
        race: What was found.
    """

    case: str
    precision: str
    taken: str
    load: float
    peak: float | None
    manifest: Manifest
    race: Race


_ENTRIES = TypeAdapter(list[Entry])


class Store:
    """The file, read whole and rewritten with each entry, so that an interrupt loses nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[tuple[str, str], Entry] = {}
        if path.exists():
            for entry in _ENTRIES.validate_json(path.read_bytes()):
                self._entries[entry.case, entry.precision] = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, case: str, precision: str) -> Entry | None:
        """The newest entry."""
        return self._entries.get((case, precision))

    def add(self, entry: Entry) -> None:
        """Replaces an older entry and writes the file."""
        self._entries[entry.case, entry.precision] = replace(entry, race=_publishable(entry.race))
        make_folder(self.path.parent)
        found = _ENTRIES.dump_python(list(self._entries.values()), mode="json")
        with atomic_write(self.path) as file:
            file.write(json.dumps(found, indent=1, ensure_ascii=False, default=str).encode())

    def best_peer(self, case: str, precision: str) -> str | None:
        """Name of the fastest peer of a case."""
        entry = self.get(case, precision)
        if entry is None:
            return None
        times = {peer.name: entry.race.ms(peer.label) for peer in entry.race.peers}
        ran = {name: ms for name, ms in times.items() if ms is not None}
        return min(ran, key=lambda name: ran[name]) if ran else None


def _publishable(race: Race) -> Race:
    """Without this machine's paths, and only with the details that affect the time."""
    return replace(
        race,
        student=Path(race.student).parent.name,
        contestants=[replace(each, options=_names(each.options)) for each in race.contestants],
        samples={
            label: [sample and _short(sample) for sample in samples]
            for label, samples in race.samples.items()
        },
    )


def _short(sample: Sample) -> Sample:
    return replace(
        sample, details={key: sample.details[key] for key in _DETAILS if key in sample.details}
    )


def _names(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: Path(value).name if key == "model" else value for key, value in options.items()}
