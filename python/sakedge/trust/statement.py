"""in-toto statements, version 1: files by name and digest, and what their maker says of them.

A statement is read only after its signature was checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from sakedge.errors import EnvelopeError
from sakedge.format.digest import canonical_json
from sakedge.format.schema import Digest, OpenModel, first_problem
from sakedge.format.strict_json import loads

FILE, FOLDER = "sakedge:file/v1", "sakedge:folder/v1"
"""Types of predicate: the statement is of one file, or of all files of a folder."""
MAX_BYTES = 3 << 20
MAX_SUBJECTS = 10_000
_MAX_KEYS = 64


@dataclass(frozen=True)
class Subject:
    """A file.

    Attributes:
        name: Its name; in a folder its path from there, with `/`.
        sha256: Of its bytes as they lie.
    """

    name: str
    sha256: str


class _Digests(OpenModel):
    sha256: Digest


class _Subject(OpenModel):
    name: Annotated[str, Field(min_length=1, max_length=4096)]
    digest: _Digests


class Statement(OpenModel):
    """A statement.

    Attributes:
        subject: The files.
        predicateType: `FILE` or `FOLDER`.
        predicate: What their maker says of them. Nothing is decided by it.
    """

    type: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: Annotated[list[_Subject], Field(min_length=1, max_length=MAX_SUBJECTS, fail_fast=True)]
    predicateType: Literal["sakedge:file/v1", "sakedge:folder/v1"]  # noqa: N815
    predicate: dict[str, Any] = Field(default_factory=dict)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The files, as plain values."""
        return tuple(Subject(each.name, each.digest.sha256) for each in self.subject)


def make_statement(
    subjects: Sequence[Subject], predicate: Mapping[str, Any], kind: str = FILE
) -> bytes:
    """The JSON of a statement, in the one form in which it is signed.

    Raises:
        ValueError, TypeError: The predicate is no JSON.
    """
    return canonical_json(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": s.name, "digest": {"sha256": s.sha256}} for s in subjects],
            "predicateType": kind,
            "predicate": dict(predicate),
        }
    )


def parse_statement(payload: bytes, name: str) -> Statement:
    """Reads what was signed; `name` is for errors.

    Raises:
        EnvelopeError: It is no such statement.
    """
    try:
        fields = loads(payload, most_bytes=MAX_BYTES, most_keys=_MAX_KEYS)
        return Statement.model_validate(fields)
    except ValidationError as error:
        reason = first_problem(error)
    except ValueError as error:
        reason = str(error)
    raise EnvelopeError(
        f"{name} holds no statement that can be used: {reason}",
        expected="an in-toto statement, version 1, of sakedge",
        remedy="Sign the file again with `sakedge keys sign`",
    )
