"""Versions of adapters, ready to run, and what is known of where each came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sakedge.adapters.gates import Column
from sakedge.adapters.snapshot import Part
from sakedge.errors import OptionError, shown

_PART = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_FULL_NAME = re.compile(f"({_PART})(?:@({_PART}))?")


@dataclass(frozen=True)
class Change:
    """How an adapter came to be where it is, so that it can be done again.

    Attributes:
        kind: `file` (it is the student's own), `pack` or `removed`.
        pack: Path of the pack.
        digest: SHA-256 of its tensors.
        any_stem: Whether a pack of another stem was allowed.
        teacher: The teacher that was allowed by name, in place of the slot's.
    """

    kind: Literal["file", "pack", "removed"]
    pack: str = ""
    digest: str = ""
    any_stem: bool = False
    teacher: str | None = None


FROM_FILE, REMOVED = Change("file"), Change("removed")


@dataclass(frozen=True)
class Version:
    """One version of one adapter, ready to run.

    Attributes:
        part: Its path. The part's name is the slot that it goes to.
        change: Where it came from.
        license: Licence of its weights.
        columns: By task, its column of the router's gate, where it brings one.
        routers: By task, the routers that were trained with it, where it brings them.
    """

    part: Part
    change: Change = FROM_FILE
    license: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    routers: Mapping[str, Part] = field(default_factory=dict)

    @property
    def slot(self) -> str:
        """The slot that it goes to."""
        return self.part.id.name

    @property
    def name(self) -> str:
        """Its slot, and its label if it lies beside the active one."""
        return self.part.id.full_name


@dataclass(frozen=True)
class LoadedAdapter:
    """An adapter that is in a student.

    Attributes:
        name: Name by which a call asks for it, e.g. `sam` or `sam@line3`.
        active: Whether a call that names none is run with it.
        teacher: What it was distilled from.
        version: Free text of its maker.
        digest: SHA-256 of its tensors.
        license: Licence of its weights.
        pack: Path of the pack that it came in; empty for one of the student's own file.
        tasks: Tasks whose routers it brought a column or a whole router for.
    """

    name: str
    active: bool
    teacher: str
    version: str
    digest: str
    license: str | None
    pack: str
    tasks: tuple[str, ...]

    @classmethod
    def of(cls, version: Version, active: bool) -> LoadedAdapter:
        """What there is to say of a version."""
        identity = version.part.id
        return cls(
            version.name,
            active,
            identity.teacher,
            identity.version,
            identity.digest,
            version.license,
            version.change.pack,
            (*version.columns, *version.routers),
        )


def split_name(name: object) -> tuple[str, str]:
    """The slot and the label of an adapter's name; the label of `sam` is empty.

    Raises:
        OptionError: It is no name.
    """
    match = _FULL_NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise OptionError(
            "an adapter is given by name",
            expected="letters, digits, _ and -, as `sam`, or with a label, as `sam@line3`",
            got=shown(name),
        )
    return match[1], match[2] or ""
