"""python-tuf's own client decides as ours does, on the same repositories."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.tuf.conftest import Clock, Site
from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.ngclient import FetcherInterface, Updater

from sakedge.errors import SakedgeError
from sakedge.trust.tuf.publisher import Publisher


class FolderFetcher(FetcherInterface):
    """Reads a folder in place of a network."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url.removeprefix("file://"))
        if not path.is_file():
            raise DownloadHTTPError("missing", 404)
        return iter([path.read_bytes()])


def theirs(site: Site, stick: Path, state: Path) -> bool:
    """Whether python-tuf's client takes a stick over and gets `a.bin` from it."""
    state.mkdir(exist_ok=True)
    try:
        updater = Updater(
            *(str(state), f"file://{stick}/metadata/", str(state), f"file://{stick}/targets/"),
            fetcher=FolderFetcher(),
            bootstrap=site.root,
        )
        updater.refresh()
        target = updater.get_targetinfo("a.bin")
        return target is not None and Path(updater.download_target(target)).is_file()
    except (RepositoryError, DownloadHTTPError):
        return False


def ours(site: Site, stick: Path) -> bool:
    try:
        site.box.refresh(stick)
        return site.box.fetch(stick, "a.bin") != b""
    except SakedgeError:
        return False


def rotated(site: Site) -> None:
    for role in ("timestamp", "root", "targets", "snapshot"):
        site.office.rotate(role)  # type: ignore[arg-type]


def mixed(site: Site) -> None:
    fork = site.copy("fork")
    Publisher(fork, site.keys, clock=site.office_clock, days={"targets": 5}).refresh()
    site.office.publish([site.place / "a.bin"])
    shutil.copy(fork / "metadata" / "3.targets.json", site.repository / "metadata")


def expired(site: Site) -> None:
    """By the true clock, which is the one that python-tuf asks."""
    site.place.joinpath("old").mkdir()
    then = Clock(datetime.now(timezone.utc) - timedelta(days=1000))
    old = Site(site.place / "old", then, site.box_clock)
    site.repository, site.root = old.repository, old.root


def damaged(site: Site) -> None:
    path = site.repository / "metadata" / "timestamp.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 3'))


def other_content(site: Site) -> None:
    next((site.repository / "targets").glob("*.a.bin")).write_bytes(b"content of b.bin")


def of_other_keys(site: Site) -> None:
    (site.place / "other").mkdir()
    site.repository = Site(site.place / "other").repository


def without_a_file(site: Site) -> None:
    (site.repository / "metadata" / "2.snapshot.json").unlink()


WAYS: dict[Callable[[Site], object], bool] = {
    lambda site: None: True,
    rotated: True,
    lambda site: site.office.refresh(): True,
    lambda site: site.office.revoke("b.bin"): True,
    lambda site: site.office.revoke("a.bin"): False,
    mixed: False,
    expired: False,
    damaged: False,
    other_content: False,
    of_other_keys: False,
    without_a_file: False,
}


@pytest.mark.parametrize(("way", "accepted"), WAYS.items(), ids=lambda each: str(each)[10:30])
def test_both_clients_decide_alike(
    way: Callable[[Site], object], accepted: bool, tmp_path: Path
) -> None:
    now = Clock(datetime.now(timezone.utc).replace(microsecond=0))
    site = Site(tmp_path, now, now)
    way(site)
    assert ours(site, site.repository) == accepted
    assert theirs(site, site.repository, tmp_path / "theirs") == accepted


def test_both_clients_refuse_what_is_older(tmp_path: Path) -> None:
    now = Clock(datetime.now(timezone.utc).replace(microsecond=0))
    site = Site(tmp_path, now, now)
    old = site.copy("old")
    site.office.refresh()
    assert ours(site, site.repository) and theirs(site, site.repository, tmp_path / "theirs")
    assert not ours(site, old) and not theirs(site, old, tmp_path / "theirs")
