"""What a compiled graph depends on besides the student: machines that agree in it share a cache."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakedge.backends import registry
from sakedge.errors import AbilityError, FileFormatError
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import Positive, Text, first_problem
from sakedge.format.strict_json import loads
from sakedge.runtime import machine
from sakedge.runtime.evidence import cpu_class
from sakedge.text import to_json

MAX_BYTES = 1 << 16
_MOST = 64
_Facts = Annotated[Mapping[Text, Annotated[str, Field(max_length=1024)]], Field(max_length=_MOST)]

REASONS: Mapping[str, str] = {
    "system": "runtimes are other programs there",
    "architecture": "runtimes are other programs there",
    "cpu": "OpenVINO compiles for the very CPU that it runs on",
    "isa": "it decides which kernels, precision and backend are taken",
    "device": "a graph is compiled for one device",
    "runtimes": "a runtime reads only what it wrote itself, on the device that it found",
    "versions": "another version makes another graph",
    "threads": "a runtime divides its work when it compiles",
}
"""Field → why a compiled graph depends on it."""


class MachineClass(BaseModel):
    """A class of machines: what one of them has compiled, the others take.

    Attributes:
        system: E.g. `linux`.
        architecture: E.g. `x86_64`.
        cpu: The CPU's name, as the system reports it.
        isa: The best of the decoder's instruction sets that it runs.
        device: As for `sakedge.load`; None is each backend's default.
        runtimes: Backend → its runtime and the device that it finds, or why it cannot run.
        versions: Of sakedge and of the packages that bring backends.
        threads: Threads to compute with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Text
    architecture: Text
    cpu: Text
    isa: Text
    device: Text | None
    runtimes: _Facts
    versions: _Facts
    threads: Positive

    @classmethod
    def here(cls, device: str | None, threads: int) -> MachineClass:
        """That of this machine.

        Raises:
            OptionError: The device is no name of one.
        """
        return cls(
            system=sys.platform,
            architecture=platform.machine(),
            cpu=machine.cpu_model()[:200],
            isa=cpu_class(),
            device=None if device is None else device.upper(),
            runtimes={
                each: registry.probe(each, device).reason[:1000] for each in registry.names()
            },
            versions=machine.backend_versions(),
            threads=threads,
        )

    @property
    def name(self) -> str:
        """Short, and different for machines that differ: `x86_64-avx512_bf16-1c0ffee0`."""
        digest = hashlib.sha256(to_json(self.model_dump()).encode()).hexdigest()
        return f"{self.architecture}-{self.isa}-{digest[:8]}"

    def require(self, wanted: MachineClass) -> None:
        """Checks that this machine is of the class.

        Raises:
            AbilityError: It is not; the message names each difference and why it matters.
        """
        found = [f"{what} ({REASONS[field]})" for field, what in _differences(wanted, self)]
        if found:
            raise AbilityError(
                f"nothing that is compiled here would be used on {wanted.name}",
                expected="a machine of that class",
                got="; ".join(found),
                remedy="Compile on a machine of that class, and take the file to the others",
            )


def read_class(path: Path) -> MachineClass:
    """Reads what `sakedge compile --class` printed.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is none.
    """
    content = read_bounded(path, MAX_BYTES)
    try:
        return MachineClass.model_validate(loads(content, most_bytes=MAX_BYTES, most_keys=_MOST))
    except ValidationError as error:
        problem = first_problem(error)
    except ValueError as error:
        problem = str(error)
    raise FileFormatError(
        f"{path} describes no class of machines: {problem}",
        remedy="Make it with `sakedge compile --class` on a machine of that class",
    )


def _differences(wanted: MachineClass, here: MachineClass) -> Iterator[tuple[str, str]]:
    theirs, ours = wanted.model_dump(), here.model_dump()
    for field, value in theirs.items():
        if value == ours[field]:
            continue
        if isinstance(value, dict):
            for key in sorted({*value, *ours[field]}):
                if value.get(key) != ours[field].get(key):
                    yield field, f"{key}: here {ours[field].get(key)}, there {value.get(key)}"
        else:
            yield field, f"{field}: here {ours[field]}, there {value}"
