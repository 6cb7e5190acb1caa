"""The measurements of a machine in one JSON file: an entry per case and precision, the newest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.format import Manifest
from sakedge.peers import Race, Sample, lead

FILE = "peers.json"
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
    """The file, read whole and rewritten with each entry, so that an interrupt loses nothing.

    Args:
        folder: The machine's, named after its CPU, e.g. `zen-4`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._entries: dict[tuple[str, str], Entry] = {}
        if self.path.exists():
            for entry in _ENTRIES.validate_json(self.path.read_bytes()):
                self._entries[entry.case, entry.precision] = entry

    @property
    def title(self) -> str:
        """The machine's CPU in words."""
        return self.folder.name.replace("-", " ").title()

    def refuse_others(self, about: Mapping[str, Any]) -> None:
        """Lets no other machine's measurements in.

        Args:
            about: The machine that is to be measured.

        Raises:
            OptionError: What is there was measured on another CPU.
        """
        for key in ("cpu", "features"):
            known = [entry.race.machine[key] for entry in self]
            if any(each != about[key] for each in known):
                raise OptionError(
                    f"{self.folder} holds another machine's measurements",
                    expected=f"{key} {known[0]}",
                    got=str(about[key]),
                    remedy="Name this machine otherwise",
                )

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

    def rivals(self, case: str, precision: str) -> tuple[str, ...]:
        """Names of a case's fastest peers, on the file and on the exported graph."""
        entry = self.get(case, precision)
        found = lead(entry.race) if entry else None
        if found is None:
            return ()
        return tuple(row.name for row in (found.file, found.exported) if row is not None)


def stores(folder: Path) -> list[Store]:
    """Every machine's, by name."""
    return [Store(path.parent) for path in sorted(folder.glob(f"*/{FILE}"))]


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
