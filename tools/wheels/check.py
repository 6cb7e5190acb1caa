"""Installs wheels as a user would, and tries them."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

TRIAL = Path(__file__).with_name("trial.py")


class TrialError(Exception):
    """A wheel was installed and did not do what it must; the message ends with what it printed."""


def install_and_try(wheel: Path, interpreter: Path, numbers: Path | None = None) -> dict[str, Any]:
    """Installs a wheel, and from PyPI what it depends on, into a fresh environment; runs the trial.

    Args:
        wheel: The wheel.
        interpreter: A Python that it is for.
        numbers: File for the logits of the first sample image.

    Returns:
        What the trial printed.

    Raises:
        TrialError: Installing it or the trial failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        _run([interpreter, "-m", "venv", environment])
        python = environment / "bin" / "python"
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--only-binary=:all:", wheel.resolve()], folder)
        _run([environment / "bin" / "sakedge", "demo", "--output", Path(folder) / "out"], folder)
        given = [] if numbers is None else ["--numbers", numbers.resolve()]
        answer = _run([python, "-I", TRIAL, *given, "--images", "1"], folder)
        return dict(json.loads(answer.splitlines()[-1]))


def _run(command: list[Any], folder: str | None = None) -> str:
    """Runs a command; returns what it wrote."""
    words = [str(word) for word in command]
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise TrialError(f"{' '.join(words[:4])} …\n{(ran.stdout + ran.stderr)[-3000:]}")
    return ran.stdout
