"""The machines that bundles are made for: a table in `targets.json`, which anyone can extend."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sakedge.bundling.library import needed
from sakedge.errors import BundleError, FileFormatError, OptionError
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads

OWN = Path(__file__).with_name("targets.json")
_MAX = 1 << 20
_MOST = 1000
_OLDEST = {"x86_64": 5, "aarch64": 17}
"""The first glibc 2.x that wheels are tagged with."""
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, Field(max_length=200)]


class Target(BaseModel):
    """A machine.

    Attributes:
        about: What it is, for people.
        python: Version of its Python, as 3.12.
        machine: Its processor, as `uname -m` says.
        glibc: Version of its C library, as 2.35: newer wheels do not run there.
        cuda: Whether the wheel with the CUDA backend is taken.
        extras: Of sakedge, which are installed.
        pins: Requirements that hold whatever else is newer, as `onnxruntime==1.23.2`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: Text = ""
    python: Annotated[str, Field(pattern=r"^3\.1\d$")]
    machine: Literal["x86_64", "aarch64"]
    glibc: Annotated[str, Field(pattern=r"^2\.\d{1,2}$")]
    cuda: bool = False
    extras: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    pins: Annotated[tuple[Text, ...], Field(max_length=64)] = ()

    @field_validator("pins")
    @classmethod
    def _are_requirements(cls, pins: tuple[str, ...]) -> tuple[str, ...]:
        with needed("reading targets"):
            from packaging.requirements import InvalidRequirement, Requirement
        for pin in pins:
            try:
                Requirement(pin)
            except InvalidRequirement:
                raise ValueError(f"{pin!r} is no requirement") from None
        return pins

    @cached_property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, the best first."""
        found = []
        for minor in range(int(self.glibc[2:]), _OLDEST[self.machine] - 1, -1):
            found.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in _OLD_NAMES:
                found.append(f"{_OLD_NAMES[minor]}_{self.machine}")
        return tuple(found)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of wheels that run there, the best first, as `cp312-cp312-manylinux_2_28_…`."""
        with needed("choosing wheels"):
            from packaging.tags import compatible_tags, cpython_tags
        version, platforms = (3, int(self.python[2:])), list(self.platforms)
        own = cpython_tags(version, platforms=platforms)
        pure = compatible_tags(version, f"cp{version[0]}{version[1]}", platforms)
        return tuple(dict.fromkeys(map(str, (*own, *pure))))


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1]
    targets: Annotated[dict[Name, Target], Field(max_length=_MOST)]


def read_targets(more: Path | None = None) -> Mapping[str, Target]:
    """The table, by name.

    Args:
        more: A file with further rows, in the form of `targets.json`; one of a name that is there
            takes its place.

    Raises:
        BundleError: The file is malformed.
        StorageError: It cannot be read.
    """
    return {**_read(OWN), **({} if more is None else _read(more))}


def find_target(name: str, targets: Mapping[str, Target]) -> Target:
    """A target by its name.

    Raises:
        OptionError: There is none of that name.
    """
    if name not in targets:
        raise OptionError(
            f"no target is named {name!r}",
            expected=f"one of {', '.join(targets)}",
            remedy="Describe a new one in a file and give it by --targets",
        )
    return targets[name]


def _read(path: Path) -> Mapping[str, Target]:
    try:
        fields = loads(read_bounded(path, _MAX), most_bytes=_MAX, most_keys=_MOST)
        return _Table.model_validate(fields).targets
    except ValidationError as error:
        reason = first_problem(error)
    except FileFormatError as error:
        reason = error.problem
    except ValueError as error:
        reason = str(error)
    raise BundleError(
        f"{path} is no table of targets: {reason}",
        expected='{"format_version": 1, "targets": {"NAME": {"python": "3.12", …}}}',
        remedy="See docs/bundle.md",
    )
