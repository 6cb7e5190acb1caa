"""What `sakedge benchmark --choose` found for one student on one machine, and the file of it.

`load` takes it from the cache while student, CPU, device, precision, threads and versions are
those that it was measured with; a file that is pinned has to fit the student alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sakedge.backends.cache import cache_key
from sakedge.backends.cache_dir import CacheDir
from sakedge.backends.folder import opened
from sakedge.errors import ChoiceError, NewerFormatError, SakedgeError, StorageError
from sakedge.files.mapped import MappedFile
from sakedge.format.schema import Digest, Positive, Text, first_problem
from sakedge.format.strict_json import loads
from sakedge.runtime import machine
from sakedge.runtime.evidence import cpu_class
from sakedge.text import to_json

FOLDER = "choices"
"""Inside the cache folder."""
SUFFIX = ".json"
KEPT = 64
"""Choices kept in the cache; the oldest go first."""
VERSION: Literal[2] = 2
"""Version 1 stated no precision of the stem."""
MAX_BYTES = 1 << 16
_MOST = 64
"""Keys of an object, and candidates."""
_LONGEST = 300
"""Characters of a reason, which quotes the file."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Setting(_Strict):
    """What a choice holds for.

    Attributes:
        student: Content digest of the student's file.
        cpu: The CPU's name and class.
        device: As for `sakedge.load`.
        precision: `fp32`, `bf16`, `fp16` or `int8`.
        threads: Threads to compute with.
    """

    student: Digest
    cpu: Text
    device: Text | None
    precision: Text
    threads: Positive

    @classmethod
    def here(cls, student: str, device: str | None, precision: str, threads: int) -> Setting:
        """That of this machine."""
        cpu = f"{machine.cpu_model()[:200]}, {cpu_class()}"
        return cls(student=student, cpu=cpu, device=device, precision=precision, threads=threads)

    @property
    def file_name(self) -> str:
        """Of the choice for it, in the cache."""
        return f"{cache_key(**self.model_dump())}{SUFFIX}"


class Measured(_Strict):
    """One candidate.

    Attributes:
        model: The model.
        backend: The backend.
        stem: The stem's precision; None in a file of version 1.
        ms: Milliseconds from a normalised image to decoded outputs; None where it did not run.
        peak: Most bytes of the whole process that were in memory at once; None if not reported.
        error: Largest difference of a logit from stock ONNX Runtime's, relative to its task's
            range.
        refused: Why it could not be chosen; None if it could.
    """

    model: Text
    backend: Text
    stem: Text | None = None
    ms: Annotated[float, Field(gt=0)] | None = None
    peak: int | None = None
    error: Annotated[float, Field(ge=0)] | None = None
    refused: Annotated[str, Field(max_length=1024)] | None = None

    def __str__(self) -> str:
        stem = "" if self.stem is None else f" (stem {self.stem})"
        return f"{self.model} in {self.backend}{stem}"


class Choice(_Strict):
    """A choice, as its file holds it.

    Attributes:
        format_version: Of the file.
        model: The model to run.
        backend: The backend to run it in.
        stem: The stem's precision; None in a file of version 1.
        setting: What it was measured for.
        versions: Of sakedge and of the packages that bring backends.
        date: The day on which it was measured, `YYYY-MM-DD`.
        measured: All candidates, as they were measured.
    """

    format_version: Literal[1, 2] = VERSION
    model: Text
    backend: Text
    stem: Text | None = None
    setting: Setting
    versions: Annotated[Mapping[Text, Text], Field(max_length=_MOST)]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    measured: Annotated[tuple[Measured, ...], Field(max_length=_MOST, fail_fast=True)]

    @model_validator(mode="after")
    def _check_names(self) -> Choice:
        if "auto" in (self.model, self.backend, self.stem):
            raise ValueError("auto is no choice")
        return self

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return self.model_dump(mode="json")

    @property
    def figures(self) -> str:
        """The times of those that could be chosen, the least first."""
        ran = [(each.ms, each) for each in self.measured if each.ms and not each.refused]
        ran.sort(key=lambda pair: pair[0])
        return ", ".join(f"{each} {ms:.1f} ms" for ms, each in ran)


def read_choice(path: Path) -> Choice:
    """Reads a choice from a file of the user's.

    Raises:
        StorageError: It cannot be read.
        NewerFormatError: It is of a newer format than this sakedge reads.
        ChoiceError: It is no choice, or is damaged.
    """
    return _parse(MappedFile(path).data, str(path))


def find_choice(cache: CacheDir, setting: Setting) -> tuple[Choice | None, str]:
    """Looks in the cache for what was measured here.

    Returns:
        The choice, or None and why the one that is there is not taken; empty where there is none.
    """
    if cache.folder is None:
        return None, ""
    path = cache.folder / FOLDER / setting.file_name
    try:
        with opened(path.parent) as folder, os.fdopen(folder.open(path.name), "rb") as file:
            choice = _parse(file.read(MAX_BYTES + 1), str(path))
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cannot read {path}: {error.strerror or error}"
    except SakedgeError as error:
        return None, str(error)
    if choice.setting != setting:
        return None, f"{path} is not for this student and machine"
    return _if_current(choice)


def store_choice(cache: Path, choice: Choice) -> Path:
    """Writes a choice where `load` finds it.

    Args:
        cache: The cache folder.
        choice: The choice.

    Raises:
        StorageError: It cannot be written, or others could write to the folder.
    """
    path = cache / FOLDER / choice.setting.file_name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with opened(path.parent) as folder:
            with folder.replacing(path.name) as file:
                file.write(to_json(choice.to_dict(), indent=2).encode())
            folder.prune(SUFFIX, KEPT)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _if_current(choice: Choice) -> tuple[Choice | None, str]:
    then, now = choice.versions, machine.backend_versions()
    changed = [
        f"{name} was {then.get(name, 'not installed')} and is {now.get(name, 'not installed')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if changed:
        return None, f"measured on {choice.date}, but {'; '.join(changed)}"[:_LONGEST]
    return choice, ""


def _parse(text: bytes | memoryview, name: str) -> Choice:
    remedy = "Make it again with `sakedge benchmark --choose`"
    try:
        fields = loads(text, most_bytes=MAX_BYTES, most_keys=_MOST)
        version = fields.get("format_version") if isinstance(fields, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise NewerFormatError(
                f"{name} needs a newer sakedge",
                expected=f"format version {VERSION}",
                got=f"version {version}",
                remedy="Update sakedge, or make it again with this version",
            )
        return Choice.model_validate(fields)
    except ValidationError as error:
        reason = first_problem(error)
        raise ChoiceError(f"{name} is no choice: {reason}", remedy=remedy) from None
    except ValueError as error:
        raise ChoiceError(f"{name} is no choice: {error}", remedy=remedy) from error
