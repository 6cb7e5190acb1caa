"""A process that is killed while it changes a store leaves the old one or the new one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tools.crash_store.acts import ACTS
from tools.crash_store.steps import Steps

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@pytest.fixture(scope="module")
def steps(packs: list[Path], memory: Path) -> Steps:
    return Steps(packs, memory)


# Every call of every act: `python -m tools.crash_store`.
@pytest.mark.parametrize(("call", "number"), [("rename", 2), ("fsync", 3)])
def test_an_act_that_was_killed_is_undone_or_done(steps: Steps, call: str, number: int) -> None:
    killed, done = steps.kill(call, number)
    assert killed >= 5
    assert 0 < done < len(ACTS)
