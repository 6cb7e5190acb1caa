"""The gates of routers: columns that weigh experts, put together for those of a snapshot.

A router is a hidden layer that each token passes, and a gate of one column per expert
(docs/model.md, section 3). A new adapter brings columns; the hidden layers, nearly all of a
router's weights, stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.snapshot import Gate, Part, PartId, PartSource
from sakedge.format.digest import component_digest

Column = Mapping[str, NDArray[Any]]
"""An expert's column of one task, by canonical name: weight [R, 1] and bias [1] of each level."""

ABSENT = np.float32(-65504)
"""Bias of an expert that a router has no column for: its softmax weight is 0, not nearly 0, beside
any logit above -65000. Finite, so that a graph may hold it."""


@dataclass(frozen=True)
class Fitted:
    """A gate for some experts.

    Attributes:
        source: The router with that gate, to be prepared.
        gate: The gate.
    """

    source: PartSource
    gate: Gate

    def part(self, prepared: object) -> Part:
        """The router as it was prepared."""
        return Part(self.source.id, prepared, gate=self.gate)


def fitted(router: Part, slots: tuple[str, ...], columns: Mapping[str, Column]) -> Fitted | None:
    """Fits a router's gate to the experts of a snapshot.

    Args:
        router: The router, with its own gate.
        slots: The adapters, in the order in which the snapshot weighs them.
        columns: By slot, columns that replace the router's own.

    Returns:
        The router to prepare, or None if it fits as it is. A router that only gains experts that
        it does not weigh computes what it did, and keeps its identity.
    """
    gate = router.gate
    assert gate is not None, "every router has one"
    if slots == gate.experts and not columns:
        return None
    tensors = {
        name: np.concatenate(
            [tensor[..., :1], *(_column(gate, name, slot, columns) for slot in slots)], axis=-1
        )
        for name, tensor in gate.tensors.items()
    }
    identity = router.id
    if columns:
        identity = replace(identity, digest=_digest(identity, tensors))
    source = PartSource(identity, lambda: tensors, base=router.prepared, experts=slots)
    return Fitted(source, Gate(slots, tensors))


def gate_of(tensors: Mapping[str, NDArray[Any]], experts: tuple[str, ...]) -> Gate:
    """The gate among a router's tensors, copied: it is small, and outlives the file."""
    return Gate(
        experts,
        {name: tensor.astype(np.float32) for name, tensor in tensors.items() if ".gate." in name},
    )


def _column(gate: Gate, name: str, slot: str, columns: Mapping[str, Column]) -> NDArray[np.float32]:
    if slot in columns:
        return np.asarray(columns[slot][name], np.float32)
    tensor = gate.tensors[name]
    if slot in gate.experts:
        at = 1 + gate.experts.index(slot)
        return tensor[..., at : at + 1]
    return np.full_like(tensor[..., :1], ABSENT if name.endswith(".bias") else 0)


def _digest(router: PartId, gate: Mapping[str, NDArray[Any]]) -> str:
    """Of a router with another gate: SHA-256 over its own digest and the gate's."""
    return hashlib.sha256(f"{router.digest}\0{component_digest(gate)}".encode()).hexdigest()
