"""The tiles that were measured to be the fastest, by architecture and shape: a file that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakedge.errors import DeviceError
from sakedge.format.schema import first_problem

FILE = Path(__file__).parent / "tuning.json"
"""What `tools/gpu_check --tune` writes."""

_Architecture = Annotated[str, Field(pattern=r"^sm_\d{2,3}$")]
_Shape = Annotated[str, Field(pattern=r"^\w+ \d+x\d+x\d+$")]
"""Operation and m x n x k, e.g. `gemm_f16 1025x2304x768`."""
_Tile = Annotated[str, Field(pattern=r"^\w{1,32}$")]


class Tuning(BaseModel):
    """What was measured.

    Attributes:
        format: Of the file.
        tiles: Architecture → shape of an operation → its tile. What is not there takes a rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1] = 1
    tiles: dict[_Architecture, dict[_Shape, _Tile]]


def tiles(architecture: str) -> dict[str, str]:
    """The tiles of an architecture, e.g. `sm_87`; none where nothing was measured.

    Raises:
        DeviceError: The file is not what it should be.
    """
    try:
        found = Tuning.model_validate(json.loads(FILE.read_bytes()))
    except (OSError, ValueError) as error:
        reason = first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise DeviceError(
            f"{FILE} cannot be used", got=reason, remedy="Install sakedge again"
        ) from error
    return found.tiles.get(architecture, {})
