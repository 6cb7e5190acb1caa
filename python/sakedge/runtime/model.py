"""What a model is: the interface between a student and what computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Preparer
from sakedge.adapters.snapshot import Snapshot
from sakedge.images import Picture
from sakedge.progress import Progress
from sakedge.runtime.explain import ModelExplanation


def silent(step: str, share: float) -> None:
    """A progress that is not shown."""


@dataclass(frozen=True)
class Call:
    """One call's arguments, checked.

    Attributes:
        pictures: Images as they were read.
        snapshots: For each image, the parts to run it with; made by the student, never by a model.
            The heads in it are the tasks wanted.
        fit: `pad`, `letterbox` or `tile`.
        logits: Whether the heads' outputs are wanted too.
        progress: Called with the progress of long work.
    """

    pictures: Sequence[Picture]
    snapshots: Sequence[Snapshot]
    fit: str
    logits: bool = False
    progress: Progress = silent


@dataclass(frozen=True)
class TaskOutput:
    """One task of one image.

    Attributes:
        values: Decoded, in the image's own pixels; see `Decoded.values`. None where only logits
            were asked for.
        logits: float32 [classes, H, W] at the student's input size; None where not asked for.
    """

    values: NDArray[Any] | None
    logits: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Inference:
    """What `Student.infer` returns.

    Attributes:
        images: For each image, the outputs by task.
        speed: Milliseconds of the whole batch by stage, e.g. `stem` and `decoder`.
    """

    images: list[Mapping[str, TaskOutput]]
    speed: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a model returns for one image.

    Attributes:
        outputs: By task.
        routing: By task, float32 [levels, experts]; the mean over the tiles of a tiled image.
        snapshot: The parts that computed it.
        speed: Milliseconds by stage, in the order of the stages; in a batch an even share.
    """

    outputs: Mapping[str, TaskOutput]
    routing: Mapping[str, NDArray[np.float32]]
    snapshot: Snapshot
    speed: Mapping[str, float] = field(default_factory=dict)


class Model(Preparer, Protocol):
    """Takes images to decoded outputs. Safe to call from any number of threads.

    It owns its precision, its threads and its explanation. It holds no exchangeable part: each
    image of a call brings the snapshot that it is run with, whose parts the model has prepared and
    assembled.

    Attributes:
        max_batch: Most images that it runs together.
    """

    max_batch: int

    def run(self, call: Call) -> list[Outcome]:
        """Runs a call's images.

        Raises:
            ImageError: An image does not fit the input.
            NumericError: Numbers overflowed while an image was computed.
            OptionError: The call's arguments cannot be combined.
        """
        ...

    def explain(self, snapshot: Snapshot) -> ModelExplanation:
        """What runs a snapshot where, and why."""
        ...


@runtime_checkable
class InputModel(Protocol):
    """A model that also takes inputs that were prepared elsewhere."""

    def infer(
        self, inputs: NDArray[np.float32], snapshots: Sequence[Snapshot], *, logits: bool
    ) -> list[Outcome]:
        """Runs normalised inputs, float32 [batch, 3, H, W], to values or else to logits.

        Raises:
            BackendError: The inputs have another shape or type.
            ImageError: They hold NaN or infinity.
            NumericError: Numbers overflowed.
        """
        ...
