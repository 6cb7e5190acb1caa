"""`sakedge repo`: who may, what is recorded, and what a script reads."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.support.command_line import Run, assert_refused
from tools.fuzz.tiny import write_tiny
from typer.testing import CliRunner, Result

from sakedge.audit import entries
from sakedge.cli.app import build
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.site import site
from sakedge.trust.tuf.publisher import Publisher


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `sakedge repo` beside an office that lists `a.bin`, and a site `box` that it serves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(site, "DEFAULT", tmp_path / "etc")
    app = build()

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["repo", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    Path("a.bin").write_bytes(b"a")
    invoke("init", "updates", "--keys", "keys")
    invoke("publish", "updates", "a.bin", "--keys", "keys")
    Path("box").mkdir()
    shutil.copy("keys/root.json", "box")
    _policy()
    return invoke


def _policy(**fields: object) -> None:
    policy = {"format_version": 1, "audit": {"sync": "never"}, **fields}
    Path("box/policy.json").write_text(json.dumps(policy))


def _recorded() -> list[tuple[str, str]]:
    found = [(entry.action, entry.result) for entry in entries(Path("box/audit"))]
    return [each for each in found if each[0].startswith("repo.")]


def test_fetching_is_recorded_also_when_it_is_refused(run: Run) -> None:
    assert json.loads(run("fetch", "updates", "--site", "box", "--json").stdout)["days_left"] == 400
    assert_refused(run("fetch", "keys", "--site", "box"), 1, "no update repository")
    run("forget-time", "--site", "box")
    assert _recorded() == [
        ("repo.refresh", "done"),
        ("repo.refresh", "refused"),
        ("repo.forget", "done"),
    ]


def test_a_clock_that_is_behind_is_remarked_on(run: Run) -> None:
    assert "clock" not in run("fetch", "updates", "--site", "box").stderr
    ahead = datetime.now(timezone.utc) + timedelta(days=30)
    Publisher("updates", "keys", clock=lambda: ahead).refresh()
    assert "but it was already" in run("fetch", "updates", "--site", "box").stderr


def test_the_office_records_what_it_does(run: Run) -> None:
    site = ("--keys", "keys", "--site", "box")
    run("publish", "updates", "a.bin", *site)
    run("rotate", "updates", "timestamp", *site)
    run("revoke", "updates", "a.bin", *site)
    run("refresh", "updates", *site)
    verbs = ("publish", "rotate", "revoke", "refresh")
    assert _recorded() == [(f"repo.{verb}", "done") for verb in verbs]


def test_whoever_may_not_administer_takes_nothing_over(run: Run) -> None:
    _policy(roles={"operator": ["view", "infer"]}, users={"*": "operator"})
    for words in (
        ("fetch", "updates", "--site", "box"),
        ("forget-time", "--site", "box"),
        ("publish", "updates", "a.bin", "--keys", "keys", "--site", "box"),
    ):
        assert_refused(run(*words), 1, "may not administer here")
    assert not Path("box/updates").exists()


def test_a_script_sees_what_expires_soon(run: Run) -> None:
    run("refresh", "updates", "--keys", "keys", "--expires", "timestamp=20")
    shown = run("show", "updates", "--json")
    assert shown.exit_code == 2
    assert json.loads(shown.stdout)["days_left"] == 20
    assert run("show", "updates", "--warn", "20").exit_code == 0
    assert run("show", "--site", "box").exit_code == 0


@pytest.mark.parametrize("given", ["timestamp", "timestamp=", "timestamp=-1", "mirror=5", "root=0"])
def test_an_expiry_of_another_form_is_a_usage_error(run: Run, given: str) -> None:
    refused = run("refresh", "updates", "--keys", "keys", "--expires", given)
    assert refused.exit_code == 64


def test_a_machine_without_a_site_says_so(run: Run) -> None:
    assert_refused(run("fetch", "updates"), 64, "this machine has no site")


def test_a_pack_goes_into_the_store_and_is_not_activated_once_it_is_revoked(run: Run) -> None:
    write_tiny(Path("student.onnx"))
    with StudentFile.open("student.onnx") as student:
        part = extract_part(student, "adapters.sam", version="7")
    write_pack("sam-7.safetensors", part.manifest, part.tensors)
    _policy(require_signature="tuf")
    store = ("--store", "store", "--site", "box")
    app = build()

    def adapter(*words: str) -> Result:
        return CliRunner().invoke(app, ["adapter", *words, *store])

    assert_refused(adapter("add", "sam-7.safetensors"), 1, "not seen the update repository")
    run("publish", "updates", "sam-7.safetensors", "--keys", "keys")
    run("fetch", "updates", "-o", "incoming", "--site", "box")
    assert adapter("add", "incoming/sam-7.safetensors").exit_code == 0
    run("revoke", "updates", "sam-7.safetensors", "--keys", "keys")
    run("fetch", "updates", "--site", "box")
    assert_refused(adapter("activate", "sam", "7"), 1, "was revoked")
