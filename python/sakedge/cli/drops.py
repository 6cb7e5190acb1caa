"""`--max-drop 1% --max-drop edge=0.5%`: by how much a metric may be worse."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.errors import OptionError, shown


def drops_of(given: Sequence[str]) -> tuple[float | None, dict[str, float]]:
    """The drop of all tasks, if one is given, and those of single tasks; as shares.

    Raises:
        OptionError: One is neither a share nor per cents.
    """
    common: float | None = None
    single: dict[str, float] = {}
    for text in given:
        task, is_single, drop = text.rpartition("=")
        if is_single:
            single[task.strip()] = _share(drop)
        else:
            common = _share(drop)
    return common, single


def _share(text: str) -> float:
    number = text.strip()
    try:
        return float(number[:-1]) / 100 if number.endswith("%") else float(number)
    except ValueError:
        raise OptionError(
            "no drop of a metric", expected="e.g. 1%, 0.01 or edge=0.5%", got=shown(text)
        ) from None
