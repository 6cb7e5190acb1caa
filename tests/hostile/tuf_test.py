"""Update repositories that were damaged or spoilt, each refused by an error of its own.

What needs a signature to be seen is signed with the office's own keys: a thief may have them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from copy import copy
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.tuf.conftest import Site
from tools.fuzz.resign import Fields, resign

from sakedge.errors import (
    ExpiredError,
    MetadataError,
    ReplayError,
    SakedgeError,
    SignatureError,
    UnsafePathError,
)
from sakedge.trust.tuf.names import Role

OF = {"timestamp": "timestamp.json", "snapshot": "3.snapshot.json", "targets": "3.targets.json"}


def path_of(site: Site, role: str) -> Path:
    return site.repository / "metadata" / OF.get(role, "2.root.json")


def signed(site: Site, role: Role, edit: Callable[[Fields], object]) -> None:
    resign(site.repository, site.keys, role, edit)


def raw(role: str, edit: Callable[[bytes], bytes]) -> Callable[[Site], None]:
    """Edits a file without signing it."""

    def spoil(site: Site) -> None:
        path = path_of(site, role)
        path.write_bytes(edit(path.read_bytes()))

    return spoil


def listing(name: str, **fields: Any) -> Callable[[Site], None]:
    """Signs a list with a further target."""
    target = {"length": 1, "hashes": {"sha256": "0" * 64}, **fields}
    return lambda site: signed(site, "targets", lambda s: s["targets"].update({name: target}))


def setting(role: Role, **values: Any) -> Callable[[Site], None]:
    """Signs metadata with other fields."""
    return lambda site: signed(site, role, lambda fields: fields.update(values))


def in_place(name: str, make: Callable[[Path], object]) -> Callable[[Site], None]:
    """Puts something else in a file's place."""

    def spoil(site: Site) -> None:
        path = next(site.repository.glob(name))
        path.rename(site.place / "moved")
        make(path)

    return spoil


def swap_roles(site: Site) -> None:
    shutil.copy(path_of(site, "snapshot"), path_of(site, "timestamp"))


def new_root(edit: Callable[[Fields], object]) -> Callable[[Site], None]:
    """A further root that is edited, and signed as it should be."""

    def spoil(site: Site) -> None:
        shutil.copy(site.repository / "metadata" / "1.root.json", path_of(site, "root"))

        def change(fields: Fields) -> None:
            fields["version"] = 2
            edit(fields)

        signed(site, "root", change)

    return spoil


def of_threshold(number: int) -> Callable[[Site], None]:
    return new_root(lambda root: root["roles"]["timestamp"].update(threshold=number))


def of_another(site: Site) -> None:
    """The second root of another repository."""
    (site.place / "other").mkdir()
    other = Site(site.place / "other")
    other.office.rotate("root")
    shutil.copy(path_of(other, "root"), path_of(site, "root"))


def rsa_key(root: Fields) -> None:
    key = next(iter(root["keys"].values()))
    key.update(keytype="rsa", scheme="rsassa-pss-sha256")


def network_key(root: Fields) -> None:
    """A key that python-tuf would look up over the network."""
    key = next(iter(root["keys"].values()))
    key.update(keytype="sigstore-oidc", scheme="Fulcio", keyval={"identity": "a", "issuer": "b"})


DEEP = b'{"signed":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
HUGE = b'{"signed": "' + b"x" * 20_000 + b'"}'
TIMESTAMP_META = {"snapshot.json": {"version": 3}}

CASES: dict[str, tuple[Callable[[Site], object], type[SakedgeError]]] = {
    "an empty timestamp": (raw("timestamp", lambda _: b""), MetadataError),
    "a timestamp cut in half": (raw("timestamp", lambda c: c[: len(c) // 2]), MetadataError),
    "a timestamp that is no object": (raw("timestamp", lambda _: b"[]"), MetadataError),
    "a timestamp too large": (raw("timestamp", lambda _: HUGE), MetadataError),
    "a timestamp too deep": (raw("timestamp", lambda _: DEEP[:16_000]), MetadataError),
    "targets too deep": (
        lambda site: signed(site, "targets", lambda s: s.update(x=_nested(40))),
        MetadataError,
    ),
    "a snapshot of 100,000 brackets": (raw("snapshot", lambda _: DEEP), ReplayError),
    "a key twice": (raw("timestamp", lambda c: c.replace(b"{", b'{"signed":1,', 1)), MetadataError),
    "not UTF-8": (raw("timestamp", lambda c: b"\xff" + c), MetadataError),
    "NaN": (
        raw("timestamp", lambda c: c.replace(b'"version": 3', b'"version": NaN')),
        MetadataError,
    ),
    "a version of a thousand digits": (
        raw("timestamp", lambda c: c.replace(b'"version": 3', b'"version": ' + b"9" * 1000)),
        MetadataError,
    ),
    "a flipped bit of a signature": (raw("timestamp", lambda c: _flipped(c)), SignatureError),
    "no signature": (
        raw("timestamp", lambda c: json.dumps({**json.loads(c), "signatures": []}).encode()),
        SignatureError,
    ),
    "an edited expiry": (
        raw("timestamp", lambda c: c.replace(b'"expires": "2027', b'"expires": "2099')),
        SignatureError,
    ),
    "an edited snapshot": (raw("snapshot", lambda c: c + b" "), ReplayError),
    "edited targets": (raw("targets", lambda c: c.replace(b"a.bin", b"c.bin")), ReplayError),
    "a snapshot as the timestamp": (swap_roles, MetadataError),
    "another role's name": (setting("timestamp", _type="root"), MetadataError),
    "a version of 0": (setting("timestamp", version=0), MetadataError),
    "a version that is a word": (setting("timestamp", version="2"), MetadataError),
    "a version that is true": (setting("timestamp", version=True), MetadataError),
    "a version that is a fraction": (setting("timestamp", version=2.5), MetadataError),
    "a time that is none": (setting("timestamp", expires="tomorrow"), MetadataError),
    "a time of signing that is none": (
        setting("timestamp", **{"x-sakedge-built": 5}),
        MetadataError,
    ),
    "a time long ago": (setting("timestamp", expires="1999-01-01T00:00:00Z"), ExpiredError),
    "another specification": (setting("timestamp", spec_version="2.0.0"), MetadataError),
    "a timestamp of two files": (
        setting("timestamp", meta={**TIMESTAMP_META, "x.json": {"version": 1}}),
        SignatureError,
    ),
    "a snapshot of version 0": (
        setting("timestamp", meta={"snapshot.json": {"version": 0}}),
        MetadataError,
    ),
    "a snapshot that is not there": (
        setting("timestamp", meta={"snapshot.json": {"version": 9}}),
        MetadataError,
    ),
    "a digest of another kind": (
        setting("timestamp", meta={"snapshot.json": {"version": 3, "hashes": {"md5000": "0"}}}),
        ReplayError,
    ),
    "a snapshot without targets": (setting("snapshot", meta={}), MetadataError),
    "a snapshot of older targets": (
        setting("snapshot", meta={"targets.json": {"version": 1}}),
        ReplayError,
    ),
    "a target above the folder": (listing("../a.bin"), UnsafePathError),
    "a target far above": (listing("x/../../../../etc/passwd"), UnsafePathError),
    "an absolute target": (listing("/etc/passwd"), UnsafePathError),
    "a target of Windows": (listing("C:\\Windows\\a"), UnsafePathError),
    "a hidden target": (listing(".ssh/authorized_keys"), UnsafePathError),
    "a target without a name": (listing(""), UnsafePathError),
    "a target with a line break": (listing("a\nb"), UnsafePathError),
    "a target without SHA-256": (listing("c.bin", hashes={"sha512": "0"}), MetadataError),
    "a target of no digest": (listing("c.bin", hashes={}), MetadataError),
    "a target whose digest is a path": (listing("c.bin", hashes={"sha256": "../x"}), MetadataError),
    "a target of negative length": (listing("c.bin", length=-1), MetadataError),
    "a target whose length is a word": (listing("c.bin", length="1"), MetadataError),
    "a target that is described by a word": (listing("c.bin", custom="x"), MetadataError),
    "a root of RSA": (new_root(rsa_key), MetadataError),
    "a root with a key of the network": (new_root(network_key), MetadataError),
    "a root without consistent snapshots": (
        new_root(lambda root: root.update(consistent_snapshot=False)),
        MetadataError,
    ),
    "a root of another version": (new_root(lambda root: root.update(version=3)), ReplayError),
    "a root without a role": (new_root(lambda root: root["roles"].pop("targets")), MetadataError),
    "a root of threshold 0": (of_threshold(0), MetadataError),
    "a root that is empty": (lambda site: path_of(site, "root").touch(), MetadataError),
    "a root that its predecessor did not sign": (of_another, SignatureError),
    "a timestamp that is a link": (
        in_place("metadata/timestamp.json", lambda path: path.symlink_to("/dev/zero")),
        UnsafePathError,
    ),
    "a snapshot that is a pipe": (in_place("metadata/3.snapshot.json", os.mkfifo), SakedgeError),
    "targets that are a folder": (in_place("metadata/3.targets.json", Path.mkdir), SakedgeError),
    "no timestamp": (in_place("metadata/timestamp.json", lambda path: None), MetadataError),
    "no metadata": (in_place("metadata", lambda path: None), MetadataError),
    "metadata elsewhere": (
        in_place("metadata", lambda path: path.symlink_to(path.parents[1] / "moved")),
        UnsafePathError,
    ),
}
FILES: dict[str, tuple[Callable[[Site], object], type[SakedgeError]]] = {
    "a file cut short": (lambda site: _rewrite(site, lambda c: c[:-1]), ReplayError),
    "a file of another content": (lambda site: _rewrite(site, bytes.swapcase), ReplayError),
    "a file too long": (lambda site: _rewrite(site, lambda c: c + b"x"), MetadataError),
    "a file of a terabyte": (
        in_place("targets/*.a.bin", lambda path: _sparse(path, 1 << 40)),
        MetadataError,
    ),
    "a file that is a link": (
        in_place("targets/*.a.bin", lambda path: path.symlink_to("/etc/passwd")),
        UnsafePathError,
    ),
    "a file that is a pipe": (in_place("targets/*.a.bin", os.mkfifo), SakedgeError),
    "no file": (in_place("targets/*.a.bin", lambda path: None), MetadataError),
}


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else []


def _flipped(content: bytes) -> bytes:
    place = content.index(b'"sig": "') + 10
    other = b"0" if content[place : place + 1] != b"0" else b"1"
    return content[:place] + other + content[place + 1 :]


def _rewrite(site: Site, edit: Callable[[bytes], bytes]) -> None:
    path = next((site.repository / "targets").glob("*.a.bin"))
    path.write_bytes(edit(path.read_bytes()))


def _sparse(path: Path, length: int) -> None:
    with path.open("wb") as file:
        file.truncate(length)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A repository that is one version further than the copy that its box will have seen."""
    made = Site(tmp_path_factory.mktemp("made"))
    made.copy("before")
    made.office.publish([made.place / "b.bin"])
    return made


@pytest.fixture
def site(made: Site, tmp_path: Path) -> Site:
    own = copy(made)
    own.place = Path(shutil.copytree(made.place, tmp_path / "site"))
    own.repository, own.keys = own.place / "repository", own.place / "keys"
    return own


@pytest.mark.parametrize("case", CASES)
def test_a_spoilt_repository_is_refused_and_nothing_changes(case: str, site: Site) -> None:
    spoil, error = CASES[case]
    site.box.refresh(site.place / "before")
    before = site.box.trusted
    spoil(site)
    with pytest.raises(error) as refused:
        site.box.refresh(site.repository)
    assert len(str(refused.value)) < 3000
    assert site.box.trusted.current == before.current
    assert site.box.check("a.bin", b"content of a.bin")


def test_what_a_root_asks_for_is_held_from_then_on(site: Site) -> None:
    """Two keys must sign the timestamp, and there is one; so nothing is trusted any more."""
    site.box.refresh(site.repository)
    of_threshold(2)(site)
    with pytest.raises(SignatureError, match="2 of the keys"):
        site.box.refresh(site.repository)
    with pytest.raises(SignatureError):
        site.box.check("a.bin", b"content of a.bin")


@pytest.mark.parametrize("case", FILES)
def test_a_spoilt_file_is_refused(case: str, site: Site) -> None:
    spoil, error = FILES[case]
    site.box.refresh(site.repository)
    spoil(site)
    with pytest.raises(error):
        site.box.fetch(site.repository, "a.bin")
    assert site.box.fetch(site.repository, "b.bin") == b"content of b.bin"


def test_the_ways_to_sign_leave_a_sound_repository_sound(site: Site) -> None:
    """Otherwise each of the above would be refused for its signature alone."""
    signed(site, "targets", lambda fields: fields.update(x=1))
    new_root(lambda root: None)(site)
    site.box.refresh(site.repository)
    assert site.box.trusted.root.version == 2
    assert site.box.trusted.now(datetime(1970, 1, 1, tzinfo=timezone.utc)) > datetime(
        2026, 1, 1, tzinfo=timezone.utc
    )
