"""`sakedge audit`: what an engineer and an auditor see."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.support.command_line import Run, assert_refused

from sakedge.audit import AuditLog, AuditSettings
from sakedge.trust.keys import PrivateKey


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog.open(tmp_path / "audit", AuditSettings(sync="never"))
    log.append("load", subject="student.onnx", new="3" * 64)
    log.append("swap", subject="adapters.sam", old="a" * 64, new="b" * 64, who="alice")
    log.append("refuse", subject="=SUM(A1)", result="refused", detail={"error": "no signature"})
    return log


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    key = PrivateKey.generate()
    key.write(tmp_path / "box.key")
    key.public.write(tmp_path / "box.pub")
    return tmp_path / "box.key", tmp_path / "box.pub"


def _seqs(printed: str) -> list[int]:
    return [json.loads(line)["seq"] for line in printed.splitlines()]


def test_show_prints_a_table_for_a_reader(run: Run, log: AuditLog) -> None:
    printed = run("audit", "show", log.folder).stdout
    assert "swap adapters.sam: aaaaaaaaaaaa… → bbbbbbbbbbbb…" in printed
    assert "alice on " in printed
    assert "REFUSED, error: no signature" in printed
    assert f"{log.folder}, the last 1 of 4" in run("audit", "show", log.folder, "--last", 1).stdout
    assert "no such entry" in run("audit", "show", log.folder, "--who", "bob").stdout


def test_show_chooses_by_action_user_time_and_number(run: Run, log: AuditLog) -> None:
    def seqs(*options: str) -> list[int]:
        return _seqs(run("audit", "show", log.folder, "--json", *options).stdout)

    assert seqs() == [1, 2, 3, 4]
    assert seqs("--action", "swap,refuse") == [3, 4]
    assert seqs("--who", "alice") == [3]
    assert seqs("--last", "2") == [3, 4]
    assert seqs("--since", "2026-01-01") == [1, 2, 3, 4]
    assert seqs("--since", "2999-01-01T10:00+09:00") == []


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--action", "swp"), "no action has this name"),
        (("--since", "yesterday"), "this is no time"),
        (("--since", "0001-01-01T00:00+23:00"), "this is no time"),
        (("--last", "-1"), "--last is out of range"),
    ],
)
def test_show_refuses_what_it_cannot_choose_by(
    run: Run, log: AuditLog, options: tuple[str, ...], part: str
) -> None:
    assert_refused(run("audit", "show", log.folder, *options), 64, part)


def test_verify_tells_whole_torn_and_wrong_apart_by_its_exit_code(run: Run, log: AuditLog) -> None:
    whole = run("audit", "verify", log.folder)
    assert whole.exit_code == 0
    assert "Nothing was changed, cut or reordered." in whole.stdout
    assert "- whether entries were cut from the end" in whole.stdout

    (path,) = log.folder.glob("entries-*")
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    torn = run("audit", "verify", log.folder)
    assert torn.exit_code == 2
    assert "TORN: the last" in torn.stdout

    path.write_bytes(content.replace(b"alice", b"clara"))
    wrong = run("audit", "verify", log.folder, "--json")
    assert wrong.exit_code == 1
    assert "line 3 (entry 3)" in json.loads(wrong.stdout)["problem"]


def test_a_checkpoint_is_signed_written_and_verified_against(
    run: Run, log: AuditLog, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    share = tmp_path / "share"
    options = ("--key", private, "--origin", "plant7/box1")
    assert run("audit", "checkpoint", log.folder, *options, "-o", share).exit_code == 0
    (file,) = share.iterdir()
    printed = run("audit", "checkpoint", log.folder, *options).stdout
    assert printed.splitlines()[:2] == ["plant7/box1", "6"]
    against = ("--checkpoint", file, "--key", public)
    right = run("audit", "verify", log.folder, *against)
    assert right.exit_code == 0
    assert "as in the checkpoint of plant7/box1 at 5" in right.stdout
    (path,) = log.folder.glob("entries-*")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    cut = run("audit", "verify", log.folder, *against)
    assert cut.exit_code == 1
    assert "WRONG: 2 lines are missing at the end" in cut.stdout


def test_export_copies_the_files_and_makes_a_table(run: Run, log: AuditLog, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    (path,) = log.folder.glob("entries-*")
    content = path.read_bytes()
    assert run("audit", "export", copy, log.folder).exit_code == 0
    assert (copy / path.name).read_bytes() == content
    with (copy / "entries.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["action"] for row in rows] == ["begin", "load", "swap", "refuse"]
    assert rows[3]["subject"] == "'=SUM(A1)"  # a spreadsheet would compute it
    assert json.loads(rows[3]["detail"]) == {"error": "no signature"}
    assert run("audit", "verify", copy).exit_code == 0
    assert_refused(run("audit", "export", copy, log.folder), 64, "is not empty")
    shown = run("audit", "show", log.folder, "--action", "export", "--json").stdout
    assert [json.loads(line)["subject"] for line in shown.splitlines()] == [str(copy)]


def test_export_copies_a_damaged_log_as_evidence(run: Run, log: AuditLog, tmp_path: Path) -> None:
    (path,) = log.folder.glob("entries-*")
    path.write_bytes(path.read_bytes().replace(b"alice", b"clara"))
    ended = run("audit", "export", tmp_path / "copy", log.folder)
    assert ended.exit_code == 1
    assert "line 3 (entry 3)" in ended.stderr
    assert b"clara" in (tmp_path / "copy" / path.name).read_bytes()
    assert len((tmp_path / "copy" / "entries.csv").read_text().splitlines()) == 3


def test_without_a_folder_the_log_is_the_site_s(run: Run, log: AuditLog, tmp_path: Path) -> None:
    policy = {"format_version": 1, "audit": {"folder": str(log.folder)}}
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    assert _seqs(run("audit", "show", "--site", tmp_path, "--json").stdout) == [1, 2, 3, 4]
    assert run("audit", "verify", "--site", tmp_path).exit_code == 0
    policy["roles"], policy["users"] = {"line": ["infer"]}, {"*": "line"}
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    assert_refused(run("audit", "show", "--site", tmp_path), 1, "view")
    (tmp_path / "policy.json").write_text('{"format_version": 1}')
    assert_refused(run("audit", "show", "--site", tmp_path), 64, "keeps no log")


def test_no_verb_begins_a_log_where_there_is_none(
    run: Run, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for given in (
        ("show", empty),
        ("verify", empty),
        ("export", tmp_path / "copy", empty),
        ("checkpoint", empty, "--key", keys[0]),
    ):
        assert_refused(run("audit", *given), 1, "holds no audit log")
    assert list(empty.iterdir()) == []
