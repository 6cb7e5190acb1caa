"""What `precision` means for the stem and for the decoder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sakedge.arguments import one_of
from sakedge.decoder import arithmetics, isa
from sakedge.runtime.evidence import cpu_class, is_as_fast

PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8")

FASTEST_FIRST = ("int8", "bf16", "fp32")
"""The decoder's precisions, by speed where a CPU gains by them."""

STEMS = {
    "fp32": ("fp32",),
    "bf16": ("bf16",),
    "fp16": ("fp16",),
    "int8": ("int8", "bf16", "fp32"),
}
"""Precision → those that the stem may have at it.

Only int8 has a choice: a quantised stem may be faster in floats, and where a file's stem is not
quantised the decoder is worth running in int8 all the same.
"""


@dataclass(frozen=True)
class PrecisionChoice:
    """The precision that was chosen.

    Attributes:
        precision: `fp32`, `bf16`, `fp16` or `int8`.
        reason: Why.
    """

    precision: str
    reason: str

    @property
    def decoder(self) -> str:
        """The decoder's precision: fp32 at fp16, which is for stems on GPUs and NPUs."""
        return "fp32" if self.precision == "fp16" else self.precision

    def stems(self, quantised: bool) -> tuple[str, ...]:
        """Those that the stem may have, where the file's is quantised or is not."""
        return tuple(s for s in STEMS[self.precision] if quantised or s != "int8")


def native() -> tuple[str, ...]:
    """The decoder's precisions for which this CPU has instructions.

    Raises:
        IsaError: SAKEDGE_ISA cannot be used.
    """
    return tuple(name for name, each in arithmetics().items() if each.native)


def gainful() -> tuple[str, ...]:
    """The decoder's precisions below fp32 by which this CPU gains: native ones, and measured ones.

    Raises:
        IsaError: SAKEDGE_ISA cannot be used.
    """
    measured = isa() == cpu_class()  # not with the kernels that SAKEDGE_ISA forces
    able = {*native(), *(each for each in FASTEST_FIRST if measured and is_as_fast(each))}
    return tuple(each for each in FASTEST_FIRST if each in able and each != "fp32")


def choose_precision(
    precision: str, gainful: Sequence[str], recorded: Collection[str]
) -> PrecisionChoice:
    """Chooses a precision.

    Args:
        precision: One of `PRECISIONS`.
        gainful: Those by which this CPU gains, the fastest first.
        recorded: Precisions below fp32 at which the student's file records a quality that passes.

    Returns:
        What was asked for; for `auto` the fastest that is both gainful and recorded, or fp32.

    Raises:
        OptionError: Another name.
    """
    one_of("precision", precision, PRECISIONS)
    if precision != "auto":
        return PrecisionChoice(precision, "asked for")
    chosen = next((each for each in gainful if each in recorded), None)
    if chosen is not None:
        return PrecisionChoice(
            chosen, "auto: the fastest by which this CPU gains and whose quality the file records"
        )
    if not gainful:
        return PrecisionChoice("fp32", "auto: this CPU gains by no lower precision")
    options = " or ".join(f"'{each}'" for each in reversed(gainful))
    has = f"the file records no quality at {' or '.join(reversed(gainful))}"
    return PrecisionChoice(
        "fp32", f"auto: {has}, by which this CPU gains; precision={options} takes it"
    )
