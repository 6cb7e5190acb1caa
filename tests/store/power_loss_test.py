"""A store on a disk that loses its power at any moment is the old one or the new one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tools.crash_store.acts import ACTS
from tools.crash_store.power import Recording, lose_power, record_acts

from sakedge.errors import SakedgeError

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@pytest.fixture(scope="module")
def recordings(packs: list[Path], memory: Path) -> dict[str, Recording]:
    return record_acts(packs, memory)


@pytest.mark.parametrize("name", ACTS)
def test_whatever_a_loss_of_power_leaves_is_the_old_store_or_the_new_one(
    name: str, recordings: dict[str, Recording], memory: Path
) -> None:
    losses = lose_power(recordings[name], memory / "lost", most=8, use=40)
    assert losses.found >= 5
    assert losses.done >= 4


@pytest.mark.parametrize("name", ["add", "activate"])
@pytest.mark.parametrize("of", ["files", "folders"])
def test_a_store_that_did_not_sync_would_be_found_out(
    name: str, of: str, recordings: dict[str, Recording], memory: Path
) -> None:
    recording = recordings[name]
    folders = {path for path, content in recording.new.items() if content is None} | {".", ".."}
    calls = [
        call
        for call in recording.calls
        if call.name != "sync" or (call.path in folders) == (of == "files")
    ]
    assert len(calls) < len(recording.calls)
    with pytest.raises((AssertionError, SakedgeError)):
        lose_power(replace(recording, calls=calls), memory / "lost", most=8, use=1000)
