"""Chooses the wheel of sakedge for a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sakedge.bundling.library import needed
from sakedge.bundling.targets import Target
from sakedge.bundling.wheel import Wheel
from sakedge.errors import BundleError

NAME = "sakedge"


def choose(wheels: Sequence[Wheel], target: Target, *, cuda: bool, where: Path) -> Wheel:
    """The newest wheel of sakedge that runs on a target; of one version the best fitting one.

    Args:
        wheels: Those that there are.
        target: The target.
        cuda: Whether the one with the CUDA backend is wanted.
        where: Their folder, for the message.

    Raises:
        BundleError: None fits; it says of each why not.
    """
    with needed("choosing wheels"):
        from packaging.version import Version
    # By path: with CUDA and without it a wheel has the same name.
    reasons = {
        wheel.path: _objection(wheel, target, cuda) for wheel in wheels if wheel.name == NAME
    }
    fitting = [wheel for wheel in wheels if reasons.get(wheel.path) == ""]
    if not fitting:
        raise BundleError(
            f"{where} has no wheel of sakedge for this target",
            expected=f"cp3{target.python[2:]} for {target.machine} with glibc {target.glibc} or "
            f"older, {'with' if cuda else 'without'} CUDA",
            got="; ".join(f"{path.name}: {why}" for path, why in reasons.items()) or "none at all",
            remedy="Build it (`make wheels`), or choose --cuda or --no-cuda",
        )
    return max(
        fitting,
        key=lambda wheel: (Version(wheel.version), -_rank(wheel, target), wheel.path.name),
    )


def fits(wheel: Wheel, target: Target) -> bool:
    """Whether a wheel runs on a target."""
    return not wheel.tags.isdisjoint(target.tags)


def _objection(wheel: Wheel, target: Target, cuda: bool) -> str:
    if not fits(wheel, target):
        return "its tag is of another Python, machine or a newer glibc"
    if wheel.has_cuda != cuda:
        return f"it is {'with' if wheel.has_cuda else 'without'} CUDA"
    return ""


def _rank(wheel: Wheel, target: Target) -> int:
    return min(i for i, tag in enumerate(target.tags) if tag in wheel.tags)
