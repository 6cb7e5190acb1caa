"""The kinds of task: the one table that reading, decoding, drawing and evaluation share.

A new kind is a row here, a file for its result, and its decoding in stock operators, for exported
graphs. If it needs a new decode kernel, that is a row in `csrc/cpu/kinds.def` and a function in
`csrc/cpu/kinds.h` as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Attributes:
        channels: Channels of the head's output; None for any number.
        decoder: The kernel that turns logits into values.
        result: `module:class` of what a caller gets. A path, so that the table costs no import.
    """

    channels: int | None
    decoder: str
    result: str


KINDS: dict[str, Kind] = {
    # arg max
    "labels": Kind(None, "labels", "sakedge.tasks.labels:LabelsResult"),
    # sigmoid of one channel
    "probability": Kind(1, "probability", "sakedge.tasks.probability:ProbabilityResult"),
    # softmax of two channels, the second
    "two_class": Kind(2, "two_class", "sakedge.tasks.probability:ProbabilityResult"),
    # unit vectors
    "normals": Kind(3, "normals", "sakedge.tasks.normals:NormalsResult"),
    # clamped to be non-negative
    "scalar": Kind(1, "scalar", "sakedge.tasks.scalar:ScalarResult"),
}
