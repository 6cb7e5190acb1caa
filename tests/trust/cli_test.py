"""`sakedge keys`: from a new key to a file that is trusted, and back."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.support.command_line import Run, assert_refused
from typer.testing import CliRunner, Result

from sakedge.audit import entries
from sakedge.cli.app import build
from sakedge.site import Site, site
from sakedge.trust.keys import PublicKey


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in a folder with a site `box`, which is not this machine's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(site, "DEFAULT", tmp_path / "etc")
    Path("box").mkdir()
    policy = {"format_version": 1, "require_signature": "dsse", "audit": {"sync": "never"}}
    Path("box/policy.json").write_text(json.dumps(policy))
    app = build()

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke


def _actions() -> list[str]:
    return [e.action for e in entries(Path("box/audit")) if e.action.startswith("key.")]


def test_a_new_key_is_trusted_signs_and_is_revoked(run: Run) -> None:
    Path("sam.bin").write_bytes(b"weights")
    assert run("keys", "new", "mori", "-o", "office").exit_code == 0
    assert stat.S_IMODE(Path("office/mori.key").stat().st_mode) == 0o600
    keyid = PublicKey.read("office/mori.pub").keyid
    assert_refused(run("keys", "verify", "sam.bin"), 64, "no site")

    assert keyid in run("keys", "trust", "office/mori.pub", "--site", "box").stdout
    assert "already" in run("keys", "trust", "office/mori.pub", "--site", "box").stdout
    assert "is not signed" in run("keys", "verify", "sam.bin", "--site", "box").stdout
    signed = run("keys", "sign", "sam.bin", "--key", "office/mori.key", "--site", "box")
    assert (signed.exit_code, signed.stderr) == (0, "")
    verified = run("keys", "verify", "sam.bin", "--site", "box")
    assert verified.exit_code == 0 and "signed by mori" in verified.stdout
    assert Site.open("box").admit("sam.bin", "pack").signers == (keyid,)

    assert "left" in run("keys", "revoke", keyid[:8], "--reason", "lost", "--site", "box").stdout
    refused = run("keys", "verify", "sam.bin", "--site", "box", "--json")
    assert refused.exit_code == 1 and "lost" in json.loads(refused.stdout)[0]["refused"]
    assert_refused(run("keys", "trust", "office/mori.pub", "--site", "box"), 1, "revoked")
    (listed,) = json.loads(run("keys", "list", "--site", "box", "--json").stdout)
    assert (listed["name"], listed["revoked"]["reason"]) == ("mori", "lost")
    assert _actions() == ["key.trust", "key.sign", "key.revoke"]


def test_a_folder_is_signed_as_a_whole(run: Run) -> None:
    Path("golden").mkdir()
    Path("golden/a.png").write_bytes(b"a")
    run("keys", "new", "mori", "--site", "box")
    run("keys", "trust", "mori.pub", "--site", "box")
    assert run("keys", "sign", "golden", "--key", "mori.key").exit_code == 0
    assert run("keys", "verify", "golden", "--site", "box").exit_code == 0
    Path("golden/b.png").write_bytes(b"b")
    assert run("keys", "verify", "golden", "--site", "box").exit_code == 1
    assert _actions() == ["key.new", "key.trust"]


def test_no_key_is_overwritten_or_taken_for_another(run: Run) -> None:
    run("keys", "new", "mori", "-o", "a")
    before = {path: path.read_bytes() for path in Path("a").iterdir()}
    assert_refused(run("keys", "new", "mori", "-o", "a"), 64, "lost")
    Path("a/mori.key").unlink()
    assert_refused(run("keys", "new", "mori", "-o", "a"), 64, "mori.pub")
    assert Path("a/mori.pub").read_bytes() == before[Path("a/mori.pub")]
    run("keys", "new", "mori", "-o", "b")
    run("keys", "trust", "a/mori.pub", "--site", "box")
    assert_refused(run("keys", "trust", "b/mori.pub", "--site", "box"), 64, "another key")
    assert_refused(run("keys", "revoke", "nobody", "--site", "box"), 64, "0 keys are meant")
    assert_refused(run("keys", "new", "../mori"), 64, "name")
    assert_refused(run("keys", "new", "x", "--for", "money"), 64, "one of sign, age, gcm")


def test_an_open_private_key_is_warned_about(run: Run) -> None:
    Path("x").write_bytes(b"x")
    run("keys", "new", "mori")
    Path("mori.key").chmod(0o644)
    signed = run("keys", "sign", "x", "--key", "mori.key")
    assert signed.exit_code == 0 and "others may read mori.key" in signed.stderr


def test_only_an_administrator_changes_keys(run: Run) -> None:
    roles = {"roles": {"operator": ["view"]}, "users": {"*": "operator"}}
    Path("box/policy.json").write_text(json.dumps({"format_version": 1, **roles}))
    run("keys", "new", "mori")
    assert_refused(run("keys", "trust", "mori.pub", "--site", "box"), 1, "may not administer")
    assert_refused(run("keys", "revoke", "0" * 64, "--site", "box"), 1, "may not administer")
    assert not Path("box/keys").exists()


@pytest.mark.parametrize("kind", ["age", "gcm"])
def test_a_file_is_encrypted_for_a_site_and_signed_after_that(kind: str, run: Run) -> None:
    Path("sam.bin").write_bytes(b"weights" * 100)
    made = run("keys", "new", "line", "--for", kind, "-o", "box").stdout
    assert stat.S_IMODE(Path(f"box/line.{kind}").stat().st_mode) == 0o600
    whom = ("--for", made.split()[-1]) if kind == "age" else ("--key", "box/line.gcm")
    assert run("keys", "encrypt", "sam.bin", "-o", "sam.sealed", *whom).exit_code == 0
    assert b"weights" not in Path("sam.sealed").read_bytes()
    field = {"age": "age_identity", "gcm": "gcm_key"}[kind]
    policy = {"format_version": 1, "decryption": {field: f"line.{kind}"}}
    Path("box/policy.json").write_text(json.dumps(policy))
    assert Site.open("box").admit("sam.sealed", "pack").content == b"weights" * 100
    assert_refused(run("keys", "encrypt", "sam.bin", "-o", "y"), 64, "--for or --key")
    assert_refused(run("keys", "encrypt", "sam.bin", "-o", "y", "--for", "age1"), 64, "recipient")
    assert_refused(run("keys", "encrypt", "sam.bin", "-o", "sam.bin", *whom), 64, "overwrite")
