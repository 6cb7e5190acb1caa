"""An installer that is killed leaves the old installation running, and the next one goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tools.check_bundle.kills import Kills

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


# Every call of every act: `python -m tools.check_bundle kills`.
def test_an_installation_that_is_killed_is_undone(first: Path, second: Path, memory: Path) -> None:
    kills = Kills(first, second, memory)
    assert kills.at("install", "symlink", 3) == (True, False)  # within the new environment
