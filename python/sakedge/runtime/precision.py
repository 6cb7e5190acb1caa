"""What `precision` means for the stem and for the decoder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sakedge.arguments import one_of
from sakedge.backends import registry
from sakedge.backends.base import Backend
from sakedge.decoder import arithmetics
from sakedge.errors import BackendError

PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8")

FASTEST_FIRST = ("int8", "bf16", "fp32")
"""The decoder's precisions, by speed where a CPU has instructions for them."""

STEMS = {
    "fp32": ("fp32",),
    "bf16": ("bf16",),
    "fp16": ("fp16",),
    "int8": ("int8", "bf16", "fp32"),
}
"""Precision → the stem's: the first that a backend has on the device.

Only int8 has a choice. A student whose stem is not quantised has no int8 stem, and its decoder is
worth running in int8 all the same.
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

    @property
    def stems(self) -> tuple[str, ...]:
        """The stem's precisions, in the order of preference."""
        return STEMS[self.precision]


def native() -> tuple[str, ...]:
    """The decoder's precisions for which this CPU has instructions.

    Raises:
        IsaError: SAKEDGE_ISA cannot be used.
    """
    return tuple(name for name, each in arithmetics().items() if each.native)


def choose_precision(
    precision: str, native: Collection[str], recorded: Collection[str]
) -> PrecisionChoice:
    """Chooses a precision.

    Args:
        precision: One of `PRECISIONS`.
        native: What this CPU has instructions for, of `FASTEST_FIRST`.
        recorded: Precisions below fp32 at which the student's file records a quality that passes.

    Returns:
        What was asked for; for `auto` the fastest that is both native and recorded, or fp32.

    Raises:
        OptionError: Another name.
    """
    one_of("precision", precision, PRECISIONS)
    if precision != "auto":
        return PrecisionChoice(precision, "asked for")
    fast = [each for each in FASTEST_FIRST if each in native and each != "fp32"]
    chosen = next((each for each in fast if each in recorded), None)
    if chosen is not None:
        return PrecisionChoice(
            chosen,
            "auto: the fastest that this CPU runs natively and the file records the quality of",
        )
    if not fast:
        return PrecisionChoice("fp32", "auto: this CPU has instructions for no lower precision")
    options = " or ".join(f"'{each}'" for each in reversed(fast))
    has = f"the file records no quality at {' or '.join(reversed(fast))}"
    return PrecisionChoice(
        "fp32", f"auto: {has}, which this CPU runs natively; precision={options} takes it"
    )


def choose_stem(
    stems: tuple[str, ...],
    backend: str,
    device: str | None,
    order: Callable[[str], Sequence[str]] | None = None,
) -> tuple[Backend, dict[str, str], str]:
    """Chooses the stem's backend, and its precision by the order of preference.

    Args:
        stems: See `PrecisionChoice.stems`.
        backend: See `registry.choose`.
        device: The same.
        order: The names that `auto` tries at a precision; see the same.

    Returns:
        The backend, why those before it were skipped, and the precision.

    Raises:
        UnknownBackendError, BackendError: As `registry.choose`, for the last precision.
    """

    def choose(precision: str) -> tuple[Backend, dict[str, str], str]:
        tried = None if order is None else order(precision)
        return *registry.choose(backend, device, precision, tried), precision

    *preferred, last = stems
    for precision in preferred:
        with suppress(BackendError):
            return choose(precision)
    return choose(last)
