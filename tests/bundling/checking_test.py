"""A bundle is what was shipped to the byte, or every fault of it is named."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sakedge.bundling.installer.checking import LISTING, check_bundle, require_whole
from sakedge.bundling.installer.envelope import NAME as ENVELOPE
from sakedge.bundling.installer.keys import Trust, read_trust
from sakedge.bundling.installer.listing import digest_of, parse_listing, write_listing
from sakedge.bundling.installer.walk import found_in
from sakedge.errors import BundleError, RevokedError, SakedgeError, SignatureError
from sakedge.text import visible
from sakedge.trust.folders import sign_folder, verify_folder
from sakedge.trust.keyring import Keyring
from sakedge.trust.keys import PrivateKey

Run = Callable[..., subprocess.CompletedProcess[str]]


def faults(folder: Path, trust: Trust | None = None) -> dict[str, str]:
    found = check_bundle(folder, trust or Trust())
    return {fault.name: fault.problem for fault in found.faults}


def test_a_whole_bundle_has_no_faults_and_says_who_signed_it(first: Path, key: PrivateKey) -> None:
    found = check_bundle(first, Trust({key.keyid: key.public.raw}, required=True))
    assert found.faults == ()
    assert found.trusted == found.signers == (key.keyid,)
    assert require_whole(found, first).sakedge == "1.0"


def test_the_houses_own_check_of_signed_folders_agrees(first: Path, key: PrivateKey) -> None:
    assert verify_folder(first, Keyring.of(key.public)).keyids == (key.keyid,)


def test_one_changed_byte_in_any_file_is_found_by_name(bundle: Path) -> None:
    names = list(found_in(bundle))
    assert {"install.sh", "installer.pyz", LISTING, ENVELOPE, "bundle.json"} <= set(names)
    for name in names:
        path = bundle / name
        content = path.read_bytes()
        for place in {0, len(content) // 2, len(content) - 1}:
            changed = bytearray(content)
            changed[place] ^= 0x01
            path.write_bytes(changed)
            assert name in faults(bundle), (name, place)
        path.write_bytes(content)
    assert faults(bundle) == {}


@pytest.mark.parametrize("name", ["install.sh", "installer.pyz", LISTING, ENVELOPE, "bundle.json"])
def test_a_changed_byte_of_what_checks_stops_the_installer_by_name(
    name: str, bundle: Path, install: Run, prefix: Path
) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 0x01
    (bundle / name).write_bytes(content)
    ended = install(bundle)
    assert ended.returncode != 0
    assert name in ended.stderr
    assert not prefix.exists()


def _more(folder: Path) -> str:
    (folder / "wheels" / "more.whl").write_bytes(b"")
    return "wheels/more.whl"


def _hidden(folder: Path) -> str:
    (folder / "wheels" / "a\x1b[2J").write_bytes(b"")
    return "wheels/a\x1b[2J"


def _less(folder: Path) -> str:
    (folder / "README.txt").unlink()
    return "README.txt"


def _link(folder: Path) -> str:
    content = (folder / "README.txt").read_bytes()
    (folder.parent / "elsewhere").write_bytes(content)
    (folder / "README.txt").unlink()
    (folder / "README.txt").symlink_to(folder.parent / "elsewhere")
    return "README.txt"


def _folder_link(folder: Path) -> str:
    (folder / "student").rename(folder.parent / "student")
    (folder / "student").symlink_to(folder.parent / "student")
    return "student"


def _pipe(folder: Path) -> str:
    (folder / "README.txt").unlink()
    os.mkfifo(folder / "README.txt")
    return "README.txt"


def _unsigned(folder: Path) -> str:
    (folder / ENVELOPE).unlink()
    return ENVELOPE


@pytest.mark.parametrize("spoil", [_more, _hidden, _less, _link, _folder_link, _pipe, _unsigned])
def test_what_is_more_less_or_no_file_is_named(spoil: Callable[[Path], str], bundle: Path) -> None:
    name = spoil(bundle)
    assert name in faults(bundle)


def test_the_installer_names_what_is_wrong_and_installs_nothing(
    bundle: Path, install: Run, prefix: Path
) -> None:
    spoilt = [_more(bundle), _hidden(bundle), _less(bundle)]
    ended = install(bundle)
    assert ended.returncode == 1
    for name in spoilt:
        assert visible(name) in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "\x1b" not in ended.stderr
    assert not prefix.exists()


def test_a_bundle_that_was_listed_anew_is_not_the_one_that_was_signed(
    bundle: Path, key: PrivateKey
) -> None:
    """Whoever changes a file can write a new list of all files, and has no key to sign it."""
    (bundle / "README.txt").write_text("changed\n")
    relist(bundle)
    assert list(faults(bundle)) == [ENVELOPE]
    (bundle / ENVELOPE).unlink()
    thief = PrivateKey.generate()
    for each in (bundle / "signers").iterdir():
        each.write_bytes(thief.public.pem)
    relist(bundle)
    sign_folder(bundle, thief)
    assert faults(bundle) == {}
    with pytest.raises(SignatureError, match="too few of the keys"):
        check_bundle(bundle, Trust({key.keyid: key.public.raw}, required=True))


def relist(folder: Path) -> None:
    listed = parse_listing((folder / LISTING).read_bytes(), LISTING)
    for name in listed:
        with (folder / name).open("rb") as file:
            listed[name] = digest_of(file)
    (folder / LISTING).write_bytes(write_listing(listed))


def test_a_second_signature_counts_where_its_key_is_known(
    bundle: Path, key: PrivateKey, other_key: PrivateKey
) -> None:
    sign_folder(bundle, other_key)
    assert list(faults(bundle)) == [ENVELOPE]
    both = {each.keyid: each.public.raw for each in (key, other_key)}
    found = check_bundle(bundle, Trust(both, threshold=2, required=True))
    assert set(found.trusted) == set(both)


def test_a_revoked_key_does_not_count(first: Path, key: PrivateKey) -> None:
    trust = Trust({key.keyid: key.public.raw}, frozenset([key.keyid]), required=True)
    with pytest.raises(RevokedError):
        check_bundle(first, trust)


def test_the_sites_policy_decides_what_is_required(
    first: Path, key: PrivateKey, other_key: PrivateKey, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    assert read_trust(site, ()) == Trust()
    (site / "keys").mkdir(parents=True)
    key.public.write(site / "keys" / "mori.pub")
    policy = {"format_version": 1, "require_signature": "dsse"}
    (site / "policy.json").write_text(json.dumps(policy))
    assert check_bundle(first, read_trust(site, ())).trusted == (key.keyid,)
    (site / "policy.json").write_text(json.dumps({**policy, "threshold": 2}))
    with pytest.raises(SignatureError):
        check_bundle(first, read_trust(site, ()))
    revoked = {"format_version": 1, "revoked": {key.keyid: {"since": "x"}}}
    (site / "keys" / "revoked.json").write_text(json.dumps(revoked))
    with pytest.raises(RevokedError):
        check_bundle(first, read_trust(site, ()))
    other_key.public.write(tmp_path / "given.pub")
    with pytest.raises(SakedgeError):
        check_bundle(first, read_trust(site, [tmp_path / "given.pub"]))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("policy.json", "{"),
        ("policy.json", '{"format_version": 2}'),
        ("policy.json", '{"format_version": 1, "require_signature": "dsee"}'),
        ("policy.json", '{"format_version": 1, "threshold": true}'),
        ("keys/revoked.json", '{"format_version": 1, "revoked": []}'),
        ("keys/mori.pub", "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----\n"),
        ("keys/mori.pub", ""),
    ],
)
def test_a_damaged_site_is_no_open_site(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / file).write_text(text)
    with pytest.raises(SakedgeError):
        read_trust(tmp_path, ())


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "a/../b", ".", "a\\b", "a\nb", "a\x1bb", "nul", "é" * 200, ""]
)
def test_no_list_leads_out_of_its_folder_or_to_a_hostile_name(name: str) -> None:
    with pytest.raises(BundleError):
        write_listing({name: "0" * 64})
    good = write_listing({"x": "0" * 64})
    rows = f"{'0' * 64}  {name}\n".encode()
    forged = good[: good.index(b": ") + 2] + hashlib.sha256(rows).hexdigest().encode() + b"\n"
    with pytest.raises(BundleError):
        parse_listing(forged + rows, "list")


def test_a_list_is_sorted_and_names_nothing_twice() -> None:
    for names in (("b", "a"), ("a", "a")):
        rows = "".join(f"{'0' * 64}  {name}\n" for name in names).encode()
        head = f"# sakedge list 1, SHA-256 of what follows: {hashlib.sha256(rows).hexdigest()}\n"
        with pytest.raises(BundleError):
            parse_listing(head.encode() + rows, "list")


def test_sha256sum_reads_the_list_too(first: Path) -> None:
    ran = subprocess.run(["sha256sum", "-c", "--quiet", LISTING], cwd=first, capture_output=True)
    assert ran.returncode == 0, ran.stderr
