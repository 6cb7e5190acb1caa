"""What a quantisation did and found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sakedge.errors import QualityError
from sakedge.format import Manifest
from sakedge.quantizing.search import Kept
from sakedge.quantizing.smoothing import Fitted
from sakedge.quantizing.verdict import Verdict


@dataclass(frozen=True)
class Quantization:
    """A student that was quantised, and passed.

    Attributes:
        path: The file that was written.
        manifest: Its manifest.
        fitted: How each layer of the stem is quantised.
        kept: What stays in floats.
        share: Share of the weights of matrix products that are int8.
        verdicts: By runtime and task.
        images: How many calibrated, were searched on, and judged.
    """

    path: Path
    manifest: Manifest
    fitted: Mapping[str, Fitted]
    kept: Kept
    share: float
    verdicts: Mapping[str, Mapping[str, Verdict]]
    images: tuple[int, int, int]

    @property
    def smoothed(self) -> int:
        """How many layers of the stem have outliers moved into their weights."""
        return sum(how.smoothing is not None for how in self.fitted.values())

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "path": str(self.path),
            "images": dict(zip(("calibration", "search", "judge"), self.images, strict=True)),
            "stem": {
                layer: {"alpha": how.alpha, "error": how.error, "plain_error": how.plain_error}
                for layer, how in self.fitted.items()
            },
            "floats": list(self.kept.floats),
            "int8_share": self.share,
            "ms": {"all_int8": self.kept.plain_ms, "kept": self.kept.ms},
            "verdicts": {
                runtime: {
                    task: {**asdict(v), "most": v.most, "passed": v.passed}
                    for task, v in verdicts.items()
                }
                for runtime, verdicts in self.verdicts.items()
            },
            "manifest": self.manifest.model_dump(mode="json"),
        }


def require(name: str, verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    """Does nothing if all tasks passed in all runtimes.

    Args:
        name: The student's, for the message.
        verdicts: By runtime and task.

    Raises:
        QualityError: One did not; the message says which, and by how much.
    """
    failed = {
        f"{task} in {runtime}": verdict
        for runtime, found in verdicts.items()
        for task, verdict in found.items()
        if not verdict.passed
    }
    if not failed:
        return
    needed = [verdict.images_needed for verdict in failed.values()]
    remedy = (
        "Calibrate with more images like those that the student will see, allow a larger drop, or "
        "use the student in floats"
    )
    if all(needed):
        remedy = f"The drops are small enough but not known well: judge by {max(needed)} images"
    error = QualityError(
        f"{name} loses too much in int8; nothing was written",
        expected="every task within what is allowed",
        got="; ".join(f"{where}: {verdict.told}" for where, verdict in failed.items()),
        remedy=remedy,
    )
    error.verdicts = verdicts
    raise error
