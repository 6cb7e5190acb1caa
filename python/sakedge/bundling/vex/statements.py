"""The statements that this project keeps: a file per package in `advisories/`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sakedge.bundling.library import needed
from sakedge.errors import BundleError
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

FOLDER = Path(__file__).with_name("advisories")
_MAX = 1 << 20
_MOST = 1000

State = Literal["exploitable", "in_triage", "not_affected"]
STATES: tuple[State, ...] = ("exploitable", "in_triage", "not_affected")
"""What concerns a reader most comes first."""
Justification = Literal[
    "code_not_present",
    "code_not_reachable",
    "requires_configuration",
    "requires_dependency",
    "requires_environment",
    "protected_by_compiler",
    "protected_at_runtime",
    "protected_at_perimeter",
    "protected_by_mitigating_control",
]
Response = Literal["can_not_fix", "will_not_fix", "update", "rollback", "workaround_available"]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Id = Annotated[str, Field(pattern=r"^(CVE-\d{4}-\d{4,}|GHSA(-[2-9a-z]{4}){3}|VA-[0-9-]+)$")]
Url = Annotated[str, Field(pattern=r"^https://[!-~]+$", max_length=300)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Statement(_Strict):
    """One judgement, of advisories that share it. Words are those of CycloneDX.

    Attributes:
        affected: Versions that the advisories concern: each a specifier of PEP 440, any of them.
        state: Whether sakedge is affected.
        justification: Why not, where it is not.
        response: What we do, where it is.
        detail: The reason, for people.
        recommendation: What to do, where it is affected.
        advisories: Id → address of its record.
    """

    affected: Annotated[tuple[str, ...], Field(min_length=1)]
    state: State
    justification: Justification | None = None
    response: Response | None = None
    detail: Text
    recommendation: Text | None = None
    advisories: Annotated[Mapping[Id, Url], Field(min_length=1, max_length=_MOST)]

    @field_validator("affected")
    @classmethod
    def _are_specifiers(cls, affected: tuple[str, ...]) -> tuple[str, ...]:
        for each in affected:
            _specifier(each)
        return affected

    @model_validator(mode="after")
    def _is_complete(self) -> Statement:
        is_affected = self.state == "exploitable"
        if (self.justification is not None) != (self.state == "not_affected"):
            raise ValueError("a justification is for what is not affected, and only that")
        if (self.response is not None, self.recommendation is not None) != (is_affected,) * 2:
            raise ValueError("a response and a recommendation are for what is exploitable alone")
        return self

    @cached_property
    def _specifiers(self) -> tuple[SpecifierSet, ...]:
        return tuple(map(_specifier, self.affected))

    def concerns(self, version: str) -> bool:
        """Whether a version is one of those that the advisories concern.

        Raises:
            BundleError: It is no version.
        """
        with needed("comparing versions"):
            from packaging.version import InvalidVersion, Version
        try:
            parsed = Version(version)
        except InvalidVersion:
            raise BundleError(f"{version!r} is no version of a package") from None
        return any(each.contains(parsed, prereleases=True) for each in self._specifiers)


class Package(_Strict):
    """What is stated of a package.

    Attributes:
        format_version: Of the file.
        package: Its name, normalised.
        reviewed: When its advisories were last looked through.
        statements: The judgements.
    """

    format_version: Literal[1]
    package: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    reviewed: date
    statements: Annotated[tuple[Statement, ...], Field(max_length=_MOST)]


def read_statements(folder: Path = FOLDER) -> Mapping[str, Package]:
    """All that is stated, by package.

    Raises:
        BundleError: A file is malformed.
        StorageError: One cannot be read.
    """
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    return {each.package: each for each in found}


def _read(path: Path) -> Package:
    try:
        content = read_bounded(path, _MAX, BundleError)
        return Package.model_validate(loads(content, most_bytes=_MAX, most_keys=_MOST))
    except ValidationError as error:
        reason = first_problem(error)
    except ValueError as error:
        reason = str(error)
    raise BundleError(f"{path} holds no statements about a package: {reason}")


def _specifier(text: str) -> SpecifierSet:
    with needed("comparing versions"):
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f"{text!r} is no specifier of versions") from None
