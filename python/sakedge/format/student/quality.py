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
        dataset_digest: SHA-256 of its images and ground truth.
        drop: How much worse it is than the reference, relative to that; negative if it is better.
        drop_interval: Where the drop lies with 95 % confidence.
        allowed: The largest drop that was allowed.
    """

    metric: Text
    value: float
    reference: float
    passed: bool
    n: int = Field(ge=1)
    dataset: Text
    dataset_digest: Digest | None = None
    drop: float | None = None
    drop_interval: tuple[float, float] | None = None
    allowed: float | None = None


class QualityEntry(OpenModel):
    """One measurement. It holds for one content and one set of adapters only.

    Attributes:
        content: Content digest of the student that was measured.
        adapters: Digest of each adapter that was active, by name.
        precision: What was asked for, e.g. `bf16`.
        runtime: Runtime and version that computed, e.g. `openvino 2026.4.1`.
        tool: Tool and version that measured.
        tasks: What was found, by task.
    """

    content: Digest
    adapters: dict[Name, Digest]
    precision: Text
    runtime: Text
    tool: Text | None = None
    tasks: dict[Name, TaskQuality] = Field(min_length=1)

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...], str, str]:
        """What it holds for: two entries with one key are two measurements of the same."""
        return self.content, tuple(sorted(self.adapters.items())), self.precision, self.runtime

    def passes(self, tasks: Iterable[str]) -> bool:
        """Whether each of these tasks was measured and passed."""
        return all(name in self.tasks and self.tasks[name].passed for name in tasks)
