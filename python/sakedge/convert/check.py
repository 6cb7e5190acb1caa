"""Compares a checkpoint's entries with what its configuration promises."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sakedge.convert.state import Entries
from sakedge.errors import CheckpointError

_SHOWN = 4


def refuse_stage_one(entries: Entries) -> None:
    """Refuses a student of stage 1, which has neither routers nor heads.

    Raises:
        CheckpointError: It is one.
    """
    if any(key.startswith("heads.") for key in entries):
        return
    if any(key.startswith(("vit.", "tsap.", "backbone.vit.")) for key in entries):
        raise CheckpointError(
            "this is a stage-1 checkpoint: stem and adapter paths, but no heads and no routers",
            expected="a whole student, trained in stage 2",
            remedy="Give the checkpoint that stage 2 saved",
        )


def check_entries(entries: Entries, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Checks that names and shapes are exactly the expected ones.

    Raises:
        CheckpointError: An entry is missing, unexpected, or of another shape.
    """
    missing = [key for key in expected if key not in entries]
    if missing:
        raise CheckpointError(
            f"the checkpoint lacks {_some(missing)}",
            expected="what its configuration describes",
            got=_summary(entries),
            remedy="Give the config.yml that this checkpoint was trained with",
        )
    unexpected = [key for key in entries if key not in expected]
    if unexpected:
        raise CheckpointError(
            f"the checkpoint holds {_some(unexpected)}, which its configuration does not describe",
            got=_summary(entries),
            remedy="Give the config.yml that this checkpoint was trained with",
        )
    for key, shape in expected.items():
        if entries[key].shape != shape:
            raise CheckpointError(
                f"{key} has the wrong shape",
                expected=str(list(shape)),
                got=str(list(entries[key].shape)),
                remedy="Give the config.yml that this checkpoint was trained with",
            )


def _some(keys: Collection[str]) -> str:
    shown = ", ".join(sorted(keys)[:_SHOWN])
    return shown if len(keys) <= _SHOWN else f"{shown} and {len(keys) - _SHOWN} more"


def _summary(entries: Entries) -> str:
    """The teachers and tasks that appear in a checkpoint's names."""
    parts = [key.split(".") for key in entries]
    teachers = dict.fromkeys(p[2] for p in parts if p[:2] == ["backbone", "tsap"] and len(p) > 2)
    tasks = dict.fromkeys(p[1] for p in parts if p[0] == "heads" and len(p) > 1)
    return f"teachers {', '.join(teachers) or 'none'}; tasks {', '.join(tasks) or 'none'}"
