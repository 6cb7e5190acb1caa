"""What a watch after an exchange is asked for, and what it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sakedge.arguments import in_range
from sakedge.measuring.intervals import Estimate

State = Literal["watching", "kept", "undone", "stopped", "failed"]


@dataclass(frozen=True)
class Watch:
    """How long an exchanged adapter is watched, and what that may cost.

    Attributes:
        frames: The watch ends after so many frames.
        seconds: And after so many seconds, if that is sooner; None for no such end.
        every: A shadow run is made of every so many frames at most.
        budget: Share of the process's CPU time that shadow runs may take, by its own measurement.
    """

    frames: int = 2000
    seconds: float | None = None
    every: int = 10
    budget: float = 0.05

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            OptionError: One is out of range.
        """
        in_range("frames of the watch", self.frames, low=1, whole=True)
        if self.seconds is not None:
            in_range("seconds of the watch", self.seconds, above=0)
        in_range("every (frames for a shadow run)", self.every, low=1, whole=True)
        in_range("budget (share of the CPU time)", self.budget, above=0, high=1)


@dataclass(frozen=True)
class Seen:
    """What a watch has seen so far.

    Attributes:
        state: `watching`; `kept` when its window has passed; `undone`; `stopped` before its end, as
            the student was closed or the adapter was exchanged again; `failed` where the watch
            itself did.
        reason: Why it was undone, stopped or failed.
        frames: Frames that ran with the new adapter.
        shadows: Frames that were run again with both.
        failed: Of those, frames that the new adapter could not run and the old one could.
        share: Share of the process's CPU time that the shadow runs took at most.
        differs: By task how far the new output is from the old one, as a share.
        weights: By task the mean weight of what was exchanged.
    """

    state: State
    reason: str = ""
    frames: int = 0
    shadows: int = 0
    failed: int = 0
    share: float = 0.0
    differs: Mapping[str, Estimate] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)
