"""Update repository and envelope: which of them is asked, and that both must agree."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.support.sites import Place

from sakedge.errors import ExpiredError, MetadataError, ReplayError, RevokedError, SignatureError
from sakedge.trust.envelope import envelope_path, sign_file
from sakedge.trust.tuf.client import Client
from sakedge.trust.tuf.publisher import Publisher


class Served:
    """A site that an office serves."""

    def __init__(self, place: Place, folder: Path, now: datetime) -> None:
        self.place, self.repository = place, folder / "repository"
        self.office = Publisher.init(self.repository, folder / "office", clock=lambda: now)
        root = (folder / "office" / "root.json").read_bytes()
        (place.folder / "root.json").write_bytes(root)
        self._client = Client(root, place.folder / "updates", lambda: now)

    def publish(self, *files: Path) -> None:
        self.office.publish(files)
        self._client.refresh(self.repository)

    def revoke(self, name: str) -> None:
        self.office.revoke(name)
        self._client.refresh(self.repository)


NOW = datetime.now(timezone.utc)


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "sam.bin"
    path.write_bytes(b"weights")
    return path


def test_the_repository_alone_decides_where_tuf_is_required(
    place: Place, blob: Path, tmp_path: Path
) -> None:
    site = place.open(require_signature="tuf")
    with pytest.raises(MetadataError, match="no root of trust"):
        site.admit(blob, "pack")
    served = Served(place, tmp_path, NOW)
    with pytest.raises(MetadataError):
        site.admit(blob, "pack")
    served.publish(blob)
    assert site.admit(blob, "pack").signers == ()
    sound = blob.read_bytes()
    blob.write_bytes(b"older weights")
    with pytest.raises(ReplayError):
        site.admit(blob, "pack")
    blob.write_bytes(sound)
    served.revoke(blob.name)
    for installed in (False, True):
        with pytest.raises(RevokedError):
            site.admit(blob, "pack", installed=installed)


def test_both_must_vouch_where_both_are_required(place: Place, blob: Path, tmp_path: Path) -> None:
    site, served = place.open(require_signature="both"), Served(place, tmp_path, NOW)
    served.publish(blob)
    with pytest.raises(SignatureError):
        site.admit(blob, "pack")
    sign_file(blob, place.key, predicate={})
    assert site.admit(blob, "student").signers == (place.key.keyid,)
    served.revoke(blob.name)
    with pytest.raises(RevokedError):
        site.admit(blob, "student")
    envelope_path(blob).unlink()
    with pytest.raises(SignatureError):
        site.admit(blob, "student")


def test_what_has_expired_installs_nothing_new_but_lets_a_machine_start(
    place: Place, blob: Path, tmp_path: Path
) -> None:
    site = place.open(require_signature="tuf")
    Served(place, tmp_path, NOW - timedelta(days=4000)).publish(blob)
    with pytest.raises(ExpiredError):
        site.admit(blob, "pack")
    assert bytes(site.admit(blob, "pack", installed=True).content) == blob.read_bytes()


def test_every_file_of_a_folder_is_one_that_is_listed(place: Place, tmp_path: Path) -> None:
    golden = tmp_path / "golden"
    golden.mkdir()
    (golden / "a.png").write_bytes(b"a")
    site, served = place.open(require_signature="tuf"), Served(place, tmp_path, NOW)
    served.publish(golden)
    site.admit_folder(golden)
    (golden / "b.png").write_bytes(b"b")
    with pytest.raises(RevokedError):
        site.admit_folder(golden)
