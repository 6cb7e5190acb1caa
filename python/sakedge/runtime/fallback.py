"""A model on a device, and another on the CPU that computes what it no longer can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import Part, PartSource, Snapshot
from sakedge.errors import BackendError, DeviceLostError
from sakedge.logs import LOG
from sakedge.runtime.explain import ModelExplanation
from sakedge.runtime.model import Call, InputModel, Model, Outcome

Result = TypeVar("Result")


class Loaded(Model, InputModel, Protocol):
    """A model that also takes inputs."""


@dataclass(frozen=True)
class Both:
    """What the two models made of a part, or of a snapshot."""

    device: object
    spare: object


class FallbackModel:
    """Runs on the device until that is lost, and then on the CPU.

    Both are loaded from the start and hold every part, so that nothing has to be read again when a
    device fails: that takes the CPU model's memory and its time to load.

    Args:
        backend: Name of the device's backend.
        device: The model on the device, or why it could not be loaded.
        spare: The model on the CPU.
    """

    def __init__(self, backend: str, device: Loaded | BackendError, spare: Loaded) -> None:
        self._backend = backend
        self._spare = spare
        self._lost: BackendError | None = None
        # What either cannot, a call would have to do without as soon as the device is lost.
        self.cannot: Mapping[Ability, str] = spare.cannot
        self.max_batch = spare.max_batch
        if isinstance(device, BackendError):
            self._lose(device)
        else:
            self._device = device
            self.cannot = {**spare.cannot, **device.cannot}
            self.max_batch = device.max_batch

    def prepare(self, source: PartSource) -> object:
        """Prepares a part for both, or for the one that is left."""
        base = cast("Both | None", source.base)
        ours, theirs = (source, source)
        if base is not None:
            ours, theirs = replace(source, base=base.device), replace(source, base=base.spare)
        device = self._run(lambda: self._device.prepare(ours), lambda: None)
        return Both(device, self._spare.prepare(theirs))

    def assemble(self, snapshot: Snapshot) -> object:
        """Makes of a snapshot what either needs."""
        device = self._run(lambda: self._device.assemble(_of_device(snapshot)), lambda: None)
        return Both(device, self._spare.assemble(_of_spare(snapshot)))

    def explain(self, snapshot: Snapshot) -> ModelExplanation:
        """What runs a snapshot now, and why it is not the device."""
        if self._lost is None:
            return self._device.explain(_of_device(snapshot))
        told = self._spare.explain(_of_spare(snapshot))
        reason = f"config['fallback'] is cpu, and {self._backend} cannot be used"
        return replace(
            told,
            model_reason=reason,
            backend_reason=reason,
            refused={**told.refused, self._backend: str(self._lost).rstrip(".")},
        )

    def run(self, call: Call) -> list[Outcome]:
        """Runs a call; one that loses the device is run again on the CPU."""
        outcomes = self._run(
            lambda: self._device.run(_with(call, _of_device)),
            lambda: self._spare.run(_with(call, _of_spare)),
        )
        return _having(outcomes, call.snapshots)

    def infer(
        self, inputs: NDArray[np.float32], snapshots: Sequence[Snapshot], *, logits: bool
    ) -> list[Outcome]:
        """Runs inputs that were prepared elsewhere, likewise."""
        outcomes = self._run(
            lambda: self._device.infer(inputs, [*map(_of_device, snapshots)], logits=logits),
            lambda: self._spare.infer(inputs, [*map(_of_spare, snapshots)], logits=logits),
        )
        return _having(outcomes, snapshots)

    def _run(self, device: Callable[[], Result], spare: Callable[[], Result]) -> Result:
        if self._lost is None:
            try:
                return device()
            except DeviceLostError as error:
                self._lose(error)
        return spare()

    def _lose(self, error: BackendError) -> None:
        # Of several calls that lose it together each may say so.
        self._lost = error
        LOG.warning("%s cannot be used, and the CPU computes from now on: %s", self._backend, error)


def _with(call: Call, of: Callable[[Snapshot], Snapshot]) -> Call:
    return replace(call, snapshots=[of(snapshot) for snapshot in call.snapshots])


def _having(outcomes: Sequence[Outcome], snapshots: Sequence[Snapshot]) -> list[Outcome]:
    """The outcomes with the snapshots as the student knows them."""
    pairs = zip(outcomes, snapshots, strict=True)
    return [replace(outcome, snapshot=snapshot) for outcome, snapshot in pairs]


def _of_device(snapshot: Snapshot) -> Snapshot:
    return _of(snapshot, lambda both: both.device)


def _of_spare(snapshot: Snapshot) -> Snapshot:
    return _of(snapshot, lambda both: both.spare)


def _of(snapshot: Snapshot, side: Callable[[Both], object]) -> Snapshot:
    """The snapshot as one of the two prepared it."""

    def part(each: Part) -> Part:
        return replace(each, prepared=side(cast(Both, each.prepared)))

    assembled = snapshot.assembled
    return replace(
        snapshot,
        adapters={name: part(each) for name, each in snapshot.adapters.items()},
        routers={name: part(each) for name, each in snapshot.routers.items()},
        heads={name: part(each) for name, each in snapshot.heads.items()},
        assembled=None if assembled is None else side(cast(Both, assembled)),
    )
