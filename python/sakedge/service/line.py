"""What a service runs: one file with the options of `sakedge predict` and what the line may use."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from sakedge.errors import OptionError
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads
from sakedge.images.limits import MAX_PIXELS
from sakedge.sources.address import is_url

FOLDER = Path("/etc/sakedge")
"""Where the files of lines lie, one for each."""
MAX_BYTES = 1 << 16
_MOST = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def _plain(text: str) -> str:
    """A text that may stand in a unit: systemd reads `%` and line ends in its own way."""
    if not text or not text.isprintable() or set(text) & set(" %\"\\'$"):
        raise ValueError("has characters that a unit file would take for something else")
    return text


Plain = Annotated[str, Field(max_length=1024), AfterValidator(_plain)]


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("should be an absolute path: a service has a folder of its own")
    return text


Place = Annotated[Plain, AfterValidator(_absolute)]
Address = Annotated[str, Field(min_length=1, max_length=1024)]
Names = Annotated[list[Plain], Field(max_length=_MOST)]


class Line(BaseModel):
    """A line. Fields are the options of `sakedge predict`, with `_` for `-`.

    Attributes:
        student: The student's file.
        source: A camera's index or device, a URL, or what else `predict` takes.
        network: Whether it may use the network, e.g. for `rtsp://…`; or the addresses that it may
            reach, as in `["10.0.3.0/24"]`.
        cpus: Processors that it may use; None is all. Threads follow from it.
        memory_mb: Most megabytes that it may use; None is all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    student: Place
    source: Address | Annotated[int, Field(ge=0, lt=100)]
    output: Plain = "out"
    adapters: Names | None = None
    tasks: Names | None = None
    fit: Plain | None = None
    batch: Annotated[int, Field(ge=1, le=1024)] = 1
    max_pixels: Annotated[int, Field(ge=1)] = MAX_PIXELS
    limit: Annotated[int, Field(ge=1)] | None = None
    save: bool = False
    save_json: bool = False
    save_arrays: bool = False
    reconnect_pause: Annotated[float, Field(gt=0, le=86400, strict=False)] = 10.0
    give_up_after: Annotated[float, Field(ge=0, strict=False)] | None = None
    store: Place | None = None
    site: Place | None = None
    backend: Plain = "auto"
    device: Plain | None = None
    precision: Plain = "auto"
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    json_lines: bool = Field(default=False, alias="json")

    network: bool | Annotated[list[Plain], Field(min_length=1, max_length=_MOST)] = False
    cpus: Annotated[float, Field(gt=0, le=1024, strict=False)] | None = None
    memory_mb: Annotated[int, Field(ge=64, le=1 << 24)] | None = None

    @field_validator("network")
    @classmethod
    def _check_addresses(cls, given: bool | list[str]) -> bool | list[str]:
        for each in given if isinstance(given, list) else ():
            ipaddress.ip_network(each)
        return given

    @field_validator("source")
    @classmethod
    def _check_device(cls, given: str | int) -> str | int:
        return _plain(given) if isinstance(given, str) and given.startswith("/") else given

    @property
    def needs_network(self) -> bool:
        """Whether its source is somewhere else."""
        return isinstance(self.source, str) and is_url(self.source)

    @property
    def camera(self) -> str | None:
        """The device of its camera, if it has one here."""
        if isinstance(self.source, int) or self.source.isdecimal():
            return f"/dev/video{int(self.source)}"
        return self.source if self.source.startswith("/dev/") else None

    @property
    def uses_gpu(self) -> bool:
        """Whether it may open the devices of a GPU or NPU."""
        named = (self.device or "CPU").upper().partition(".")[0]
        return named != "CPU" or self.backend == "cuda"


def line_name(path: Path) -> str:
    """The name of a line: its file's, without the ending.

    Raises:
        OptionError: A unit cannot be called so.
    """
    if path.suffix != ".json" or not _NAME.fullmatch(path.stem):
        raise OptionError(
            "no name for a line",
            expected="NAME.json with lower-case letters, digits and -, e.g. line.json",
            got=repr(path.name)[:80],
        )
    return path.stem


def read_line(path: Path) -> Line:
    """Reads a line's file.

    Raises:
        StorageError: It cannot be read.
        OptionError: It is wrong; the message names the field.
    """
    line_name(path)
    content = read_bounded(path, MAX_BYTES)
    try:
        fields: Any = loads(content, most_bytes=MAX_BYTES, most_keys=_MOST)
        line = Line.model_validate(fields)
    except ValidationError as error:
        problem = first_problem(error)
    except ValueError as error:
        problem = str(error)
    else:
        if line.needs_network and line.network is False:
            raise OptionError(
                f"{path}: its source is on the network, which the line may not use",
                expected='"network": true, or the addresses, as in ["10.0.3.17"]',
                remedy="Add it",
            )
        return line
    raise OptionError(
        f"{path} describes no line: {problem}",
        expected="JSON with the options of `sakedge predict`",
        remedy="`sakedge service show` and docs/service.md list them",
    )
