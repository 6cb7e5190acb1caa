"""Every change, cut and reorder is found; what cannot be found without a checkpoint is said."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sakedge.audit import AuditLog, AuditSettings, Verdict, verify
from sakedge.trust.keys import PrivateKey

CUT = "whether entries were cut from the end, or the whole log was written anew"


@pytest.fixture
def small(folder: Path) -> Path:
    """A log of one file with three entries."""
    log = AuditLog.open(folder, AuditSettings(sync="never"))
    for i in range(2):
        log.append("load", subject=f"{i}.onnx")
    (path,) = folder.glob("entries-*")
    (folder / "lock").unlink()
    return path


@pytest.fixture
def long(log: AuditLog) -> Path:
    """A log of several files."""
    for i in range(45):
        log.append("load", detail={"i": i})
    assert len(list(log.folder.glob("entries-*"))) > 3
    return log.folder


def _found(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    return not verify(path.parent).ok


def test_every_byte_that_is_changed_is_found(small: Path) -> None:
    content = small.read_bytes()
    assert not _found(small, content)
    changed = (
        content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :] for i in range(len(content))
    )
    assert [i for i, each in enumerate(changed) if not _found(small, each)] == []


def test_every_byte_that_is_removed_is_found(small: Path) -> None:
    content = small.read_bytes()
    removed = (content[:i] + content[i + 1 :] for i in range(len(content)))
    assert [i for i, each in enumerate(removed) if not _found(small, each)] == []


def _without(lines: list[bytes], i: int) -> list[bytes]:
    return lines[:i] + lines[i + 1 :]


def _twice(lines: list[bytes], i: int) -> list[bytes]:
    return lines[: i + 1] + lines[i:]


def _swapped(lines: list[bytes], i: int) -> list[bytes]:
    return [*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]]


@pytest.mark.parametrize(
    ("change", "lines"), [(_without, (0, 1)), (_twice, (0, 1, 2)), (_swapped, (0, 1))]
)
def test_lines_removed_doubled_or_swapped_are_found_where_they_are(
    small: Path, change: Callable[[list[bytes], int], list[bytes]], lines: tuple[int, ...]
) -> None:
    content = small.read_bytes().splitlines(keepends=True)
    for i in lines:
        small.write_bytes(b"".join(change(content, i)))
        problem = verify(small.parent).problem
        first_wrong = i + 2 if change is _twice else i + 1
        assert problem is not None
        assert f"line {first_wrong} (entry {first_wrong})" in problem


def test_a_change_with_a_new_hash_is_found_at_the_next_line(small: Path) -> None:
    lines = small.read_bytes().splitlines(keepends=True)
    lines[1] = _forged(lines[1], b"0.onnx", b"9.onnx")
    small.write_bytes(b"".join(lines))
    problem = verify(small.parent).problem
    assert problem is not None
    assert "line 3 (entry 3) does not follow the line before it" in problem


def _forged(line: bytes, old: bytes, new: bytes) -> bytes:
    """The line with something else in it, and the hash that fits."""
    text = line.replace(old, new)[: line.index(b', "hash"')]
    return b'%s, "hash": "%s"}\n' % (text, hashlib.sha256(text).hexdigest().encode())


def test_a_tail_that_was_cut_is_found_with_the_checkpoint_and_only_with_it(
    log: AuditLog, key: PrivateKey
) -> None:
    for _ in range(4):
        log.append("load")
    checkpoint = log.checkpoint(key, origin="plant/box")
    (path,) = log.folder.glob("entries-*")
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:kept]))
        alone = verify(log.folder)
        assert alone.ok
        assert any(sentence.startswith(CUT) for sentence in alone.unknown)
        problem = verify(log.folder, [checkpoint], [key.public]).problem
        assert problem is not None
        assert f"{len(lines) - kept} lines are missing at the end" in problem


def test_a_log_written_anew_is_found_with_the_checkpoint_and_only_with_it(
    log: AuditLog, key: PrivateKey, tmp_path: Path
) -> None:
    log.append("swap", subject="adapters.sam")
    checkpoint = log.checkpoint(key, origin="plant/box")
    shutil.rmtree(log.folder)
    again = AuditLog.open(log.folder)
    for _ in range(5):
        again.append("load", subject="nothing happened")
    assert verify(log.folder).ok
    problem = verify(log.folder, [checkpoint], [key.public]).problem
    assert problem is not None
    assert "the first 3 lines are not those of the checkpoint" in problem


def test_whatever_is_added_after_a_checkpoint_leaves_it_right(
    log: AuditLog, key: PrivateKey
) -> None:
    made = [log.checkpoint(key, origin="plant/box")]
    for _ in range(40):
        log.append("load")
        made.append(log.checkpoint(key, origin="plant/box"))
    verdict = verify(log.folder, made[::-1], [key.public])
    assert verdict.ok, verdict.problem
    assert [each.size for each in verdict.checkpoints] == sorted(
        {each.size for each in verdict.checkpoints}
    )
    assert not any(sentence.startswith(CUT) for sentence in verdict.unknown)


def _remove(files: list[Path]) -> None:
    files[1].unlink()


def _remove_first(files: list[Path]) -> None:
    files[0].unlink()


def _exchange(files: list[Path]) -> None:
    first, second = files[1].read_bytes(), files[2].read_bytes()
    for path, content in ((files[1], second), (files[2], first)):
        path.chmod(0o600)
        path.write_bytes(content)


def _rename(files: list[Path]) -> None:
    files[-1].rename(files[-1].with_name("entries-000000000999.jsonl"))


def _empty(files: list[Path]) -> None:
    files[1].chmod(0o600)
    files[1].write_bytes(b"")


def _cut_middle(files: list[Path]) -> None:
    files[1].chmod(0o600)
    files[1].write_bytes(files[1].read_bytes()[:-1])


def _join(files: list[Path]) -> None:
    files[0].chmod(0o600)
    files[0].write_bytes(files[0].read_bytes() + files[1].read_bytes())
    files[1].unlink()


@pytest.mark.parametrize(
    "change", [_remove, _remove_first, _exchange, _rename, _empty, _cut_middle, _join]
)
def test_files_removed_exchanged_renamed_emptied_or_joined_are_found(
    long: Path, change: Callable[[list[Path]], None]
) -> None:
    assert verify(long).ok
    change(sorted(long.glob("entries-*")))
    problem = verify(long).problem
    assert problem is not None
    assert re.search(r"entries-\d{12}\.jsonl", problem)


def test_files_that_lie_elsewhere_are_said_to_and_are_covered_by_a_checkpoint(
    log: AuditLog, key: PrivateKey, long: Path
) -> None:
    checkpoint = log.checkpoint(key, origin="plant/box")
    first, second, *_ = sorted(long.glob("entries-*"))
    first.unlink()
    verdict = verify(long, [checkpoint], [key.public], archived=True)
    assert verdict.ok
    number = int(second.stem.removeprefix("entries-"))
    assert any(f"entries 1 to {number - 1}: they are not here" in s for s in verdict.unknown)
    # What such a log states of the lines that are not there cannot be made up.
    lines = second.read_bytes().splitlines(keepends=True)
    tree = re.search(rb'"tree": "([0-9a-f]+)"', lines[0])
    assert tree is not None
    second.chmod(0o600)
    second.write_bytes(_forged(lines[0], tree[1], b"0" * len(tree[1])))
    for path in sorted(long.glob("entries-*"))[1:]:
        path.unlink()
    assert verify(long, archived=True).ok
    assert _problem(verify(long, [checkpoint], [key.public], archived=True))


def _problem(verdict: Verdict) -> str:
    assert verdict.problem is not None
    return verdict.problem
