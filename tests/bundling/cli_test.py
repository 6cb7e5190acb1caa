"""`sakedge bundle`: what a person at a desk sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.support.command_line import Run, assert_refused
from tools.check_bundle.standins import HERE, TARGET
from typer.testing import CliRunner, Result

from sakedge.bundling import running
from sakedge.bundling.running import index_options
from sakedge.cli.app import build
from sakedge.errors import BundleError
from sakedge.trust.keys import PrivateKey


@pytest.fixture
def run() -> Run:
    runner, app = CliRunner(), build()

    def invoke(*arguments: object) -> Result:
        result = runner.invoke(app, ["bundle", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke


@pytest.fixture
def options(first: Path, scratch: Path, tmp_path: Path) -> list[object]:
    """What makes a bundle without a network."""
    table = {"format_version": 1, "targets": {TARGET: HERE.model_dump(mode="json")}}
    (tmp_path / "more.json").write_text(json.dumps(table))
    return [
        *("--target", TARGET, "--targets", tmp_path / "more.json"),
        *("--wheels", scratch / "wheels-1.0", "--lock", first / "requirements.txt"),
    ]


def test_a_bundle_is_made_signed_and_verified(
    run: Run, options: list[object], tiny_student: Path, tmp_path: Path, key: PrivateKey
) -> None:
    key.write(tmp_path / "mori.key")
    key.public.write(tmp_path / "mori.pub")
    out = tmp_path / "out.tar"
    made = run("make", tiny_student, *options, "--key", tmp_path / "mori.key", "-o", out)
    assert made.exit_code == 0, made.stderr
    assert f"signed by  {key.keyid}" in made.stdout
    verified = run("verify", out, "--key", tmp_path / "mori.pub", "--json")
    assert verified.exit_code == 0, verified.stderr
    found = json.loads(verified.stdout)
    assert (found["whole"], found["trusted"], found["faults"]) == (True, [key.keyid], [])


def test_a_bundle_without_a_signature_is_asked_for_by_name(
    run: Run, options: list[object], tiny_student: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert_refused(run("make", tiny_student, *options, "-o", out), 64, "who signs", "--unsigned")
    made = run("make", tiny_student, *options, "--unsigned", "-o", out, "--json")
    assert json.loads(made.stdout)["signers"] == []
    assert_refused(run("make", tiny_student, *options, "--unsigned", "-o", out), 64, "is there")


def test_what_was_changed_is_listed_and_the_code_is_1(run: Run, bundle: Path) -> None:
    (bundle / "README.txt").write_text("x")
    (bundle / "student" / "a\x1b").write_text("x")
    ended = run("verify", bundle)
    assert ended.exit_code == 1
    assert "README.txt: was changed" in ended.stdout
    assert "\\x1b: is there, and was not shipped" in ended.stdout
    faults = json.loads(run("verify", bundle, "--json").stdout)["faults"]
    assert {each["file"] for each in faults} == {"README.txt", "student/a\x1b"}


def test_an_unknown_target_and_a_folder_that_is_no_bundle_are_named(
    run: Run, options: list[object], tiny_student: Path, tmp_path: Path
) -> None:
    options[1] = "jetson-jp5"
    ended = run("make", tiny_student, *options, "--unsigned", "-o", tmp_path / "out")
    assert_refused(ended, 64, "jetson-jp5", "jetson-jp6", "linux-x86_64-py3.12")
    assert_refused(run("verify", tmp_path), 1, "is no bundle")


def test_targets_are_listed(run: Run) -> None:
    assert "jetson-jp6" in run("targets").stdout
    assert json.loads(run("targets", "--json").stdout)["jetson-jp7"]["glibc"] == "2.39"


def test_uv_looks_where_pip_was_told_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.plant.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path} /not/there")
    index_options.cache_clear()
    try:
        found = index_options()
    finally:
        index_options.cache_clear()
    assert "--index-url=https://mirror.plant.example/simple" in found
    assert f"--find-links={tmp_path}" in found
    assert not any("not/there" in option for option in found)


def test_a_tool_that_fails_or_is_not_there_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleError, match=r"pip failed: .*frobnicate"):
        running.run("pip", ["frobnicate"])
    with pytest.raises(BundleError, match="absent_tool is not installed"):
        running.run("absent_tool", [])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BundleError, match="without a word"):
        running.run("pip", [])
