"""`sakedge adapter`: the store from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.command_line import Run, assert_refused
from typer.testing import CliRunner, Result

import sakedge
from sakedge.adapters.following import Following
from sakedge.cli.app import build
from sakedge.store import Store


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a verb of `sakedge adapter` on the store of this test."""
    runner, app = CliRunner(), build()

    def invoke(verb: str, *arguments: object) -> Result:
        line = ["adapter", verb, *map(str, arguments), "--store", str(tmp_path / "store")]
        result = runner.invoke(app, line)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke


@pytest.fixture
def student(packs: list[Path]) -> Iterator[sakedge.Student]:
    path = packs[0].parent / "student.onnx"
    with sakedge.load(path, backend="onnxruntime", threads=1) as student:
        yield student


def test_a_program_may_follow_a_store_before_the_first_pack(
    run: Run, packs: list[Path], tmp_path: Path, student: sakedge.Student
) -> None:
    assert run("init").stdout == f"made the store {tmp_path / 'store'}\n"
    assert_refused(run("init"), 1, "is an adapter store already")
    following = student.follow(tmp_path / "store", every=3600)
    run("add", packs[0])
    run("activate", "sam", 1)
    following.look()
    following.close()
    assert {each.name: each.version for each in student.adapters.list()}["sam"] == "1"


def test_a_pack_comes_in_runs_and_goes_back(run: Run, packs: list[Path], tmp_path: Path) -> None:
    first = run("add", packs[0]).stdout
    assert f"made the store {tmp_path / 'store'}" in first
    assert "activate it: sakedge adapter activate sam 1" in first
    assert run("add", packs[1]).stdout.startswith("added sam 2, SHA-256 ")
    assert run("activate", "sam", 1).stdout == "sam: the student's own → 1\nstate 1\n"
    assert run("activate", "sam", 2, "--reason", "new lamp").stdout == "sam: 1 → 2\nstate 2\n"
    assert run("activate", "sam", 2).stdout == "nothing to change; state 2\n"
    assert run("activate", "sam@line3", 1).stdout == "sam@line3: nothing → 1\nstate 3\n"
    assert run("rollback").stdout == "sam@line3: 1 → nothing\nstate 4\n"
    assert run("rollback", "sam").stdout == "sam: 2 → 1\nstate 5\n"
    assert run("deactivate", "sam").stdout == "sam: 1 → the student's own\nstate 6\n"
    assert run("export", "sam", 2, "-o", tmp_path / "usb").stdout.startswith("wrote ")
    assert sorted(path.name for path in (tmp_path / "usb").iterdir()) == [
        "sam-2.safetensors",
        "sam-2.safetensors.dsse.json",
    ]
    assert run("gc", "--keep", 0).stdout == "removed sam 1, 0.0 MB\nremoved sam 2, 0.0 MB\n"
    assert run("gc").stdout == "nothing to remove\n"
    assert "no versions yet" in run("list").stdout


def test_the_list_tells_what_is_active_and_what_runs(
    run: Run, packs: list[Path], student: sakedge.Student, tmp_path: Path
) -> None:
    for pack in packs:
        run("add", pack)
    run("activate", "sam", 2, "--reason", "new lamp")
    run("activate", "sam@line3", 3)
    following = Following(student.adapters, Store.open(tmp_path / "store"), every=3600)
    text = run("list").stdout
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in text.splitlines()]
    assert ["sam", "1", ""] in rows
    assert ["sam", "2", "yes"] in rows
    assert ["sam", "3", "as sam@line3"] in rows
    assert "sam 2, dino its own, sam@line3 3" in text
    listed = json.loads(run("list", "--json").stdout)
    assert [each["active"] for each in listed["versions"]] == [[], ["sam"], ["sam@line3"]]
    assert listed["state"]["generation"] == 2
    assert len(listed["running"]) == 1
    following.close()
    assert json.loads(run("list", "--json").stdout)["running"] == []


def test_changes_are_told_to_scripts(run: Run, packs: list[Path]) -> None:
    added = json.loads(run("add", packs[0], "--json").stdout)["added"]
    assert (added["name"], added["version"], added["active"]) == ("sam", "1", [])
    changed = json.loads(run("activate", "sam", 1, "--json").stdout)
    assert changed["changes"] == {"sam": {"old": None, "new": "1"}}
    assert changed["state"]["generation"] == 1
    back = json.loads(run("rollback", "--json").stdout)
    assert back["changes"] == {"sam": {"old": "1", "new": None}}
    assert json.loads(run("gc", "--json", "--keep", 0).stdout)["removed"][0]["version"] == "1"


def test_what_cannot_be_done_is_one_line(run: Run, packs: list[Path], tmp_path: Path) -> None:
    assert_refused(run("list"), 1, "is no adapter store")
    assert_refused(run("add", tmp_path / "missing.safetensors"), 1, "cannot read")
    run("add", packs[0])
    assert_refused(run("activate", "sam", 2), 1, "no such version of sam", "one of 1 (")
    assert_refused(run("activate", "a b", 1), 64, "not a name of an adapter")
    assert_refused(run("rollback"), 1, "no state to go back to")
    assert_refused(run("gc", "--keep", -1), 64, "keep is out of range")
