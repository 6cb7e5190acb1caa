"""Runs the tools that resolve and download, and says what they said when they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sakedge.errors import BundleError

_QUOTED = 900
"""Characters of what a tool said."""


def run(tool: str, arguments: Sequence[str | Path]) -> str:
    """Runs a module of this Python, and returns what it printed.

    Args:
        tool: `uv` or `pip`.
        arguments: Its arguments.

    Raises:
        BundleError: It is not installed, or failed.
    """
    if find_spec(tool) is None:
        raise BundleError(f"{tool} is not installed", remedy="Run: pip install 'sakedge[bundle]'")
    # A Python for the target is not needed to resolve for it.
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    ran = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    if ran.returncode != 0:
        said = [line.strip() for line in ran.stderr.splitlines() if not line.startswith("WARNING")]
        raise BundleError(f"{tool} failed: {' '.join(said)[-_QUOTED:] or 'without a word'}")
    return ran.stdout


@cache
def index_options() -> tuple[str, ...]:
    """Where pip is set up here to look for packages, as options of uv, which has not read it."""
    options = []
    for line in run("pip", ["config", "list"]).splitlines():
        name, _, value = line.partition("=")
        key, given = name.rpartition(".")[2], value.strip("'\"").replace("\\n", " ").split()
        if key in ("index-url", "extra-index-url", "find-links"):
            options += [f"--{key}={each}" for each in given if _is_there(each)]
        elif key == "no-index" and given == ["true"]:
            options.append("--no-index")
    return tuple(dict.fromkeys(options))


def _is_there(place: str) -> bool:
    """Pip passes over a folder that is not there; uv fails."""
    path = place.removeprefix("file://")
    return "://" in path or Path(path).is_dir()
