"""What the site says to each act of the store: its policy, its keys, its log."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from sakedge.files.mapped import MappedFile


class Admitted(Protocol):
    """A file that may be used."""

    @property
    def content(self) -> memoryview: ...


class Site(Protocol):
    def allow(self, action: Any, who: str | None = None) -> None: ...
    def admit(self, path: Path, kind: Literal["pack", "delta", "student"]) -> Admitted: ...
    def check_license(self, license: str | None, what: str) -> None: ...
    def record(self, action: str, **fields: Any) -> None: ...


@dataclass(frozen=True)
class _Plain:
    content: memoryview


class OpenSite:
    def allow(self, action: Any, who: str | None = None) -> None:
        pass

    def admit(self, path: Path, kind: Literal["pack", "delta", "student"]) -> Admitted:
        return _Plain(MappedFile(path).data)

    def check_license(self, license: str | None, what: str) -> None:
        pass

    def record(self, action: str, **fields: Any) -> None:
        pass


def whoami() -> str:
    return getpass.getuser()
