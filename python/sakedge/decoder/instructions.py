"""The instruction sets that the kernels may run on, and which one serves each precision."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge import _core
from sakedge.decoder.refusals import refusals

ARITHMETICS = {"fp32": "f32", "bf16": "bf16", "int8": "s8"}
"""Precision → arithmetic of the matrix products. All else is always float32."""


def isa() -> str:
    """Name of the instruction set whose kernels are in use.

    Raises:
        IsaError: SAKEDGE_ISA names one that is unknown or that this CPU lacks.
    """
    with refusals("the kernels"):
        return _core.isa()


def isas() -> tuple[tuple[str, bool, str], ...]:
    """Every compiled-in instruction set, best first: name, whether it runs here, why not."""
    return tuple(_core.isas())


@dataclass(frozen=True)
class Arithmetic:
    """What serves one precision on this CPU.

    Attributes:
        isa: The instruction set whose kernels compute it.
        native: Whether that has instructions for it. Otherwise it is emulated in wider arithmetic,
            to the same numbers; whether that is slower than fp32 was measured, see
            `sakedge.runtime.precision.gainful`.
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
