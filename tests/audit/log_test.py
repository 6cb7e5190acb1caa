"""Entries: what they say, that each is there once and in order, and what a failing disk leaves."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sakedge.audit import ACTIONS, AuditLog, AuditSettings, entries, verify, whoami
from sakedge.audit.actions import OWN
from sakedge.errors import OptionError, StorageError

SAM, DINO = "a" * 64, "b" * 64


def _lines(folder: Path) -> list[bytes]:
    files = sorted(folder.glob("entries-*.jsonl"))
    return b"".join(path.read_bytes() for path in files).splitlines()


def test_an_entry_says_who_did_what_when_and_with_what_result(log: AuditLog) -> None:
    before = datetime.now(timezone.utc)
    log.append("swap", subject="adapters.sam", old=SAM, new=DINO, detail={"ms": 1.5, "shadow": 3})
    log.append("refuse", subject="adapters.sam", result="refused", who="alice")
    begin, swap, refuse = entries(log.folder)
    assert (begin.seq, begin.action, begin.subject) == (1, "begin", str(log.folder))
    assert (swap.action, swap.subject, swap.old, swap.new) == ("swap", "adapters.sam", SAM, DINO)
    assert (swap.result, dict(swap.detail)) == ("done", {"ms": 1.5, "shadow": 3})
    assert (swap.who, swap.pid) == (whoami(), os.getpid())
    time = datetime.fromisoformat(swap.time.replace("Z", "+00:00"))
    assert before <= time <= datetime.now(timezone.utc)
    assert (refuse.who, refuse.result, refuse.old, refuse.new) == ("alice", "refused", None, None)


def test_each_line_holds_the_digest_of_the_one_before_as_any_tool_computes_it(
    log: AuditLog,
) -> None:
    for _ in range(3):
        log.append("load")
    lines = _lines(log.folder)
    assert json.loads(lines[0])["prev"] == "0" * 64
    for line, following in pairwise(lines):
        assert json.loads(following)["prev"] == hashlib.sha256(line).hexdigest()
        own = line[: line.index(b', "hash"')]
        assert json.loads(line)["hash"] == hashlib.sha256(own).hexdigest()


def test_a_clock_that_goes_back_is_recorded(folder: Path) -> None:
    now = datetime(2026, 11, 26, 4, 0, tzinfo=timezone.utc)
    times = [now, now + timedelta(hours=1), now - timedelta(days=365), now]
    log = AuditLog(folder, AuditSettings(sync="never"), clock=iter(times).__next__)
    folder.mkdir()
    for _ in range(3):
        log.append("load")
    assert [entry.clock_back for entry in entries(folder)] == [False, False, True, False]
    verdict = verify(folder)
    assert verdict.ok
    assert any("gone back: 1" in sentence for sentence in verdict.unknown)


def test_files_follow_each_other_and_those_before_become_read_only(log: AuditLog) -> None:
    for i in range(40):
        log.append("load", detail={"i": i})
    files = sorted(log.folder.glob("entries-*.jsonl"))
    assert len(files) > 3
    assert all(path.stat().st_size < 4096 + 1024 for path in files)
    assert [stat.S_IMODE(path.stat().st_mode) & 0o222 for path in files[:-1]] == [0] * (
        len(files) - 1
    )
    found = list(entries(log.folder))
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    assert [entry.detail["i"] for entry in found if entry.action == "load"] == list(range(40))
    assert sum(entry.action == "rotate" for entry in found) == len(files) - 1
    assert verify(log.folder).ok


def test_text_that_would_act_on_a_terminal_is_recorded_as_an_escape(log: AuditLog) -> None:
    entry = log.append("load", subject="a\nb\x1b[2J\u202e\udcff", detail={"k\0": "x\n"})
    assert entry.subject == "a\\nb\\x1b[2J\\u202e\\udcff"
    assert dict(entry.detail) == {"k\\x00": "x\\n"}
    assert verify(log.folder).ok


def test_long_text_loses_its_middle_and_the_entry_is_written(log: AuditLog) -> None:
    entry = log.append("refuse", subject=f"begin{'é' * 5000}end")
    assert len(entry.subject) == 512
    assert entry.subject.startswith("begin")
    assert entry.subject.endswith("end")


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "swapp"},
        {"action": "rotate"},
        {"action": "begin"},
        {"action": "recovered"},
        {"action": 3},
        {"action": "load", "subject": 3},
        {"action": "load", "old": b"ab"},
        {"action": "load", "result": "fine"},
        {"action": "load", "who": ["root"]},
        {"action": "load", "detail": 3},
        {"action": "load", "detail": {1: "x"}},
        {"action": "load", "detail": {"x": float("nan")}},
        {"action": "load", "detail": {"x": None}},
        {"action": "load", "detail": {"x": {"y": 1}}},
        {"action": "load", "detail": {"x": 10**400}},
        {"action": "load", "detail": {"x" * 600: 1}},
        {"action": "load", "detail": {str(i): 0 for i in range(17)}},
    ],
    ids=str,
)
def test_what_cannot_be_recorded_is_refused_and_leaves_no_trace(
    log: AuditLog, wrong: dict[str, Any]
) -> None:
    before = _lines(log.folder)
    with pytest.raises(OptionError):
        log.append(**wrong)
    assert _lines(log.folder) == before


def test_the_largest_entry_that_can_be_asked_for_is_written_or_refused(log: AuditLog) -> None:
    largest = {f"{i:064d}": "\U0001f600" * 2000 for i in range(16)}
    with pytest.raises(OptionError, match="too long"):
        log.append("load", subject="\U0001f600" * 2000, detail=largest)
    log.append("load", detail=dict.fromkeys(largest, "é" * 2000))
    assert verify(log.folder).ok


@pytest.mark.parametrize("wrong", [{"rotate_bytes": 1}, {"sync": "often"}, {"timeout": -1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        AuditSettings(**wrong)


def test_every_action_is_recorded_and_explained(log: AuditLog) -> None:
    for name in ACTIONS.keys() - set(OWN):
        log.append(name)
    verdict = verify(log.folder)
    assert verdict.ok, verdict.problem
    assert {entry.action for entry in entries(log.folder)} >= ACTIONS.keys() - {"recovered"}
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
    assert [name for name in ACTIONS if f"| `{name}` |" not in page] == []


WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sakedge.audit import AuditLog, AuditSettings
log = AuditLog.open(Path(sys.argv[1]), AuditSettings(sync="never", rotate_bytes=4096))
with ThreadPoolExecutor(3) as pool:
    list(pool.map(lambda i: log.append("load", subject=sys.argv[2], detail={"i": i}), range(30)))
"""


def test_processes_and_threads_append_at_once_and_nothing_is_lost(folder: Path) -> None:
    def run(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WRITER, str(folder), name]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(run, "xy"))
    assert [each.stderr for each in ended] == [""] * 2
    verdict = verify(folder)
    assert verdict.ok, verdict.problem
    found = [(e.subject, e.detail["i"]) for e in entries(folder) if e.action == "load"]
    assert sorted(found) == [(name, i) for name in "xy" for i in range(30)]


def test_who_waits_too_long_is_told_who_holds_the_log(log: AuditLog) -> None:
    from sakedge.files.locked import locked

    impatient = AuditLog(log.folder, AuditSettings(timeout=0.05))
    with (
        locked(log.folder / "lock"),
        pytest.raises(StorageError, match=f"process {os.getpid()} holds it"),
    ):
        impatient.append("load")
    assert impatient.append("load").seq == 2


FULL = """
import resource, sys
from pathlib import Path
from sakedge.audit import AuditLog
from sakedge.errors import StorageError
log = AuditLog.open(Path(sys.argv[1]))
size = sum(path.stat().st_size for path in log.folder.glob("entries-*"))
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, resource.RLIM_INFINITY))
written = 0
try:
    while True:
        log.append("load")
        written += 1
except StorageError as error:
    print(written, error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as a full disk would")
def test_a_disk_that_is_full_within_a_line_leaves_a_log_that_verifies(log: AuditLog) -> None:
    command = [sys.executable, "-c", FULL, str(log.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("2 cannot write")
    verdict = verify(log.folder)
    assert verdict.ok, verdict
    assert len(_lines(log.folder)) == 3
    assert log.append("load").seq == 4


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        AuditLog.open(tmp_path / "file")
    with pytest.raises(StorageError):
        list(entries(tmp_path / "missing"))
