"""What prepares parts to run, and the abilities that it may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, Protocol

from sakedge.adapters.gates import gate_of
from sakedge.adapters.snapshot import Part, PartSource, Snapshot
from sakedge.errors import AbilityError

Ability = Literal["min_weight", "versions", "device_images"]
"""What not every model can do: leave out paths of small weight; hold several versions of an adapter
side by side; take images that lie on a CUDA device."""

_ON_HOST = "Load the student with config={'model': 'host'}"

_REMEDIES: Mapping[Ability, str] = {
    "min_weight": _ON_HOST,
    "versions": _ON_HOST,
    "device_images": "Copy the image to the host, or load the student with backend='cuda'",
}


class Preparer(Protocol):
    """Prepares parts to run, one by one and then all together.

    Attributes:
        cannot: The abilities that it lacks, each with the reason.
    """

    cannot: Mapping[Ability, str]

    def prepare(self, source: PartSource) -> object:
        """Packs, uploads or checks a part; the result is its `Part.prepared`.

        Called outside of all locks.

        Raises:
            TensorError: The part does not fit the student.
        """
        ...

    def assemble(self, snapshot: Snapshot) -> object:
        """Makes what needs all parts together; the result is the snapshot's `assembled`.

        Called while calls go on with the snapshot before, and it may take minutes.

        Raises:
            BackendError: It cannot be made; the snapshot before stays in use.
        """
        ...


def prepared_part(preparer: Preparer, source: PartSource) -> Part:
    """A part, prepared; its tensors are read once."""
    tensors = source.tensors()
    prepared = preparer.prepare(replace(source, tensors=lambda: tensors))
    gate = gate_of(tensors, source.experts) if source.id.kind == "router" else None
    return Part(source.id, prepared, source.task, gate)


def require(preparer: Preparer, ability: Ability) -> None:
    """Checks that an ability is there.

    Raises:
        AbilityError: It is not; the message gives the reason.
    """
    if ability in preparer.cannot:
        raise AbilityError(
            f"the model that runs this student cannot do that: {preparer.cannot[ability]}",
            remedy=_REMEDIES[ability],
        )
