"""An office that publishes, and a box that is served, each with a clock of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sakedge.trust.tuf.client import Client
from sakedge.trust.tuf.publisher import Publisher


@dataclass
class Clock:
    """A clock that can be set."""

    now: datetime = datetime(2026, 11, 26, 9, 0, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, days: float) -> None:
        self.now += timedelta(days=days)


@dataclass
class Site:
    """A publisher with `a.bin` and `b.bin`, its stick, and a box that has seen nothing yet."""

    place: Path
    office_clock: Clock = field(default_factory=Clock)
    box_clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.repository, self.keys = self.place / "repository", self.place / "keys"
        self.office = Publisher.init(self.repository, self.keys, clock=self.office_clock)
        for name in ("a.bin", "b.bin"):
            (self.place / name).write_bytes(f"content of {name}".encode())
        self.office.publish([self.place / "a.bin", self.place / "b.bin"])
        self.root = (self.keys / "root.json").read_bytes()

    @property
    def box(self) -> Client:
        """The box, as if it had just started."""
        return Client(self.root, self.place / "state", self.box_clock)

    def copy(self, name: str) -> Path:
        """A stick with the repository as it is now."""
        return Path(shutil.copytree(self.repository, self.place / name))

    def forward(self, days: float) -> None:
        """Time goes on for both."""
        self.office_clock.forward(days)
        self.box_clock.forward(days)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)
