"""Templates of pages: one style for all, numbers and text made fit to be shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sakedge.measuring.intervals import Estimate
from sakedge.text import visible

_HERE = Path(__file__).parent


def templates(*folders: Path) -> Environment:
    """The templates of these folders, which may extend `base.html`.

    Args:
        folders: Looked through before this one.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure, "interval": interval, "percent": percent}
    environment.filters["visible"] = visible
    return environment


def figure(value: float, digits: int = 4) -> str:
    """A number, or a dash for none."""
    return f"{value:.{digits}g}" if np.isfinite(value) else "-"


def interval(found: Estimate, digits: int = 4) -> str:
    """An interval, with as many digits as its value."""
    return f"{figure(found.low, digits)} … {figure(found.high, digits)}"


def percent(share: float) -> str:
    """A relative difference with its sign."""
    return f"{100 * share:+.2f} %" if np.isfinite(share) else "-"
