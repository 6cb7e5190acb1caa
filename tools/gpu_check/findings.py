"""What a step found, kept in a file from the first finding on: a step may be ended at any time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["passed", "failed", "skipped", "measured"]


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    what: str
    outcome: Outcome
    detail: str = ""


class Findings:
    """Of one step; every line is printed and saved as it comes.

    Attributes:
        values: Numbers for programs, by name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[Finding] = []
        self.values: dict[str, Any] = {}
        self._save()

    def passed(self, what: str, detail: str = "") -> None:
        """Something holds."""
        self._add(Finding(what, "passed", detail))

    def failed(self, what: str, detail: str = "") -> None:
        """Something does not hold; the check fails."""
        self._add(Finding(what, "failed", detail))

    def judged(self, what: str, holds: bool, detail: str = "") -> None:
        """Passed or failed."""
        (self.passed if holds else self.failed)(what, detail)

    def skipped(self, what: str, why: str) -> None:
        """Something could not be looked at."""
        self._add(Finding(what, "skipped", why))

    def measured(self, what: str, detail: str, **values: Any) -> None:
        """A measurement, and what programs shall find of it."""
        self.values.update(values)
        self._add(Finding(what, "measured", detail))

    def _add(self, finding: Finding) -> None:
        self._found.append(finding)
        print(f"  {finding.outcome:8} {finding.what}: {finding.detail}".rstrip(": "), flush=True)
        self._save()

    def _save(self) -> None:
        draft = self._path.with_suffix(".draft")
        found = [asdict(each) for each in self._found]
        draft.write_text(json.dumps({"findings": found, "values": self.values}, indent=1))
        draft.replace(self._path)


def read(path: Path) -> tuple[list[Finding], dict[str, Any]]:
    """What a step left, which may be nothing."""
    if not path.exists():
        return [], {}
    found = json.loads(path.read_text())
    return [Finding(**each) for each in found["findings"]], found["values"]
