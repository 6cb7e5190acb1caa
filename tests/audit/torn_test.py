"""What a power cut leaves is told from tampering, kept, and accounted for."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sakedge.audit import AuditLog, AuditSettings, entries, verify
from sakedge.errors import AuditError


@pytest.fixture
def path(log: AuditLog) -> Path:
    """The file of a log of three entries."""
    log.append("load")
    log.append("swap", subject="adapters.sam")
    (path,) = log.folder.glob("entries-*")
    return path


def test_a_line_cut_at_any_byte_is_told_and_the_next_entry_accounts_for_it(
    log: AuditLog, path: Path
) -> None:
    content = path.read_bytes()
    start = content.rindex(b"\n", 0, -1) + 1
    for end in range(start + 1, len(content) - 1):
        path.write_bytes(content[:end])
        verdict = verify(log.folder)
        assert verdict.problem is None
        assert verdict.torn is not None
        assert f"the last {end - start} bytes, after entry 2" in verdict.torn
        assert log.append("load").seq == 5
        assert path.read_bytes().startswith(content[:end] + b"\n")  # nothing was taken away
        after = verify(log.folder)
        assert after.ok, after.problem
        (recovered,) = after.recovered
        assert dict(recovered.detail) == {
            "lines": 1,
            "bytes": end - start,
            "sha256": hashlib.sha256(content[start:end]).hexdigest(),
        }
        assert any(sentence.endswith("account for: 4") for sentence in after.unknown)


def test_a_line_that_lacks_only_its_end_loses_nothing(log: AuditLog, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert verify(log.folder).torn == "the last line has no end; the next entry gives it one"
    assert log.append("load").seq == 4
    assert path.read_bytes().startswith(content)
    verdict = verify(log.folder)
    assert verdict.ok
    assert verdict.recovered == ()


@pytest.mark.parametrize("rest", [b"\0" * 300, b"\0" * 300 + b"\n", b'{"v"\n{"v": 1, "se', b"\n{"])
def test_zeros_and_several_torn_lines_are_accounted_for_together(
    log: AuditLog, path: Path, rest: bytes
) -> None:
    path.write_bytes(path.read_bytes() + rest)
    assert verify(log.folder).torn is not None
    entry = log.append("load")
    verdict = verify(log.folder)
    assert verdict.ok, verdict.problem
    (recovered,) = verdict.recovered
    assert recovered.detail["lines"] == rest.removesuffix(b"\n").count(b"\n") + 1
    assert entry.seq == 4 + int(recovered.detail["lines"]) + 1
    assert [each.seq for each in entries(log.folder)] == [1, 2, 3, entry.seq - 1, entry.seq]


def test_a_torn_line_that_is_changed_after_it_was_accounted_for_is_found(
    log: AuditLog, path: Path
) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    log.append("load")
    after = path.read_bytes()
    path.write_bytes(after.replace(content[-60:-20], content[-60:-20].swapcase(), 1))
    assert verify(log.folder).problem is not None


def test_a_whole_line_that_was_changed_passes_for_no_torn_one(log: AuditLog, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"adapters.sam", b"adapters.dino"))
    changed = path.read_bytes()
    assert verify(log.folder).problem is not None
    with pytest.raises(AuditError, match="was damaged: it was changed: its own hash"):
        log.append("load")
    assert path.read_bytes() == changed


def test_no_line_can_be_replaced_by_one_that_seems_torn(log: AuditLog, path: Path) -> None:
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:40] + b"\n" + third)
    problem = verify(log.folder).problem
    assert problem is not None
    assert "line 3 (entry 3)" in problem


@pytest.mark.parametrize(
    ("rest", "part"),
    [
        (b"x\n" * 200_000, "no entry at its end"),
        (b"x" * 400_000, "no entry at its end"),
        (b"x\n" * 65, "no entry at its end"),
        (b"x" * 70_000, "more is torn than power cuts leave"),
    ],
)
def test_an_end_that_no_power_cut_leaves_is_not_written_to(
    log: AuditLog, path: Path, rest: bytes, part: str
) -> None:
    content = path.read_bytes() + rest
    path.write_bytes(content)
    with pytest.raises(AuditError, match=part):
        log.append("load")
    assert path.read_bytes() == content
    assert verify(log.folder).problem is not None


def test_as_many_torn_lines_as_there_may_be_are_accounted_for(log: AuditLog, path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x\n" * 64)
    assert log.append("load").seq == 3 + 64 + 2
    assert verify(log.folder).ok


def test_what_was_torn_within_a_long_line_is_found_behind_it(log: AuditLog, path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x" * 30_000)
    log.append("load")
    assert verify(log.folder).ok


FOREVER = """
import sys
from pathlib import Path
from sakedge.audit import AuditLog, AuditSettings
log = AuditLog.open(Path(sys.argv[1]), AuditSettings(sync="never", rotate_bytes=4096))
while True:
    print(log.append("load").seq, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills as only POSIX does")
def test_a_writer_that_is_killed_loses_no_entry_that_it_was_told_of(folder: Path) -> None:
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", FOREVER, str(folder)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(25)]
            writer.send_signal(signal.SIGKILL)
            told += [int(line) for line in writer.stdout.read().split()]
        AuditLog(folder, AuditSettings(sync="never")).append("load")
        verdict = verify(folder)
        assert verdict.ok, verdict.problem
        assert {entry.seq for entry in entries(folder)} >= set(told)
