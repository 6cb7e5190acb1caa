"""Recorded quality: how well this exact student performed, at which precision, in which runtime."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from sakedge.format.schema import Digest, OpenModel, Text
from sakedge.tasks import Name


class TaskQuality(OpenModel):
    """The quality of one task's output.

    Attributes:
        metric: What was measured, e.g. `miou`.
        value: Its value at the entry's precision.
        reference: Its value at fp32.
        passed: Whether the difference is within what was allowed when it was measured.
        n: Number of images.
        dataset: Name of the images' data set.
    """

    metric: Text
    value: float
    reference: float
    passed: bool
    n: int = Field(ge=1)
    dataset: Text


class QualityEntry(OpenModel):
    """One measurement. It holds for one content and one set of adapters only.

    Attributes:
        content: Content digest of the student that was measured.
        adapters: Digest of each adapter that was active, by name.
        precision: What was asked for, e.g. `bf16`.
        runtime: Runtime and version that computed.
        tasks: What was found, by task.
    """

    content: Digest
    adapters: dict[Name, Digest]
    precision: Text
    runtime: Text
    tasks: dict[Name, TaskQuality] = Field(min_length=1)

    def passes(self, tasks: Iterable[str]) -> bool:
        """Whether each of these tasks was measured and passed."""
        return all(name in self.tasks and self.tasks[name].passed for name in tasks)
