"""What prepares parts to run, and the abilities that it may lack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from sakedge.adapters.snapshot import PartSource
from sakedge.errors import AbilityError

Ability = Literal["exchange", "subset", "min_weight"]
"""What not every model can do: exchange parts while it runs, run with some of the student's
adapters only, leave out paths of small weight."""


class Preparer(Protocol):
    """Prepares parts to run.

    Attributes:
        cannot: The abilities that it lacks, each with the reason.
    """

    cannot: Mapping[Ability, str]

    def prepare(self, source: PartSource) -> object:
        """Packs, uploads or compiles a part. Called outside of all locks.

        Raises:
            TensorError: The part does not fit the student.
        """
        ...


def require(preparer: Preparer, ability: Ability) -> None:
    """Checks that an ability is there.

    Raises:
        AbilityError: It is not; the message gives the reason.
    """
    if ability in preparer.cannot:
        raise AbilityError(
            f"the model that runs this student cannot do that: {preparer.cannot[ability]}",
            remedy="Load the student with config={'model': 'host'}",
        )
