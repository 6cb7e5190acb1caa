"""The instruction sets that the kernels may run on, and which one serves each precision."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge import _core
from sakedge.errors import IsaError

ARITHMETICS = {"fp32": "f32", "bf16": "bf16", "int8": "s8"}
"""Precision → arithmetic of the matrix products. All else is always float32."""


def isa() -> str:
    """Name of the instruction set whose kernels are in use.

    Raises:
        IsaError: SAKEDGE_ISA names one that is unknown or that this CPU lacks.
    """
    try:
        return _core.isa()
    except _core.CoreError as error:
        raise _isa_error(error) from None


def isas() -> tuple[tuple[str, bool, str], ...]:
    """Every compiled-in instruction set, best first: name, whether it runs here, why not."""
    return tuple(_core.isas())


@dataclass(frozen=True)
class Arithmetic:
    """What serves one precision on this CPU.

    Attributes:
        isa: The instruction set whose kernels compute it.
        native: Whether that has instructions for it. Otherwise it is emulated in wider arithmetic:
            correct, but not fast.
    """

    isa: str
    native: bool


def arithmetics() -> dict[str, Arithmetic]:
    """What serves each precision of `ARITHMETICS`.

    Raises:
        IsaError: See `isa`.
    """
    isa()
    found = _core.arithmetics()
    return {name: Arithmetic(*found[core]) for name, core in ARITHMETICS.items()}


def _isa_error(error: _core.CoreError) -> IsaError:
    code, message = error.args
    if code == "isa_unknown":
        return IsaError(
            "SAKEDGE_ISA names no instruction set of this build",
            expected=message,
            remedy="Unset it to let sakedge choose",
        )
    return IsaError(
        f"SAKEDGE_ISA cannot be used: {message}",
        remedy="Unset it, or choose one that `sakedge doctor` lists as supported",
    )
