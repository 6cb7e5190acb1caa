"""A process that is killed at any of its changes to the disk leaves what the next one goes on with.

The child counts its own changes and kills itself before the n-th, for every n that there is.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.tuf.conftest import Site

from sakedge.files import temporary
from sakedge.trust.tuf.client import Client
from sakedge.trust.tuf.publisher import Publisher

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

_CHANGES = {"os.rename", "os.remove", "os.mkdir"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def killed(act: Callable[[], object], number: int) -> bool:
    """Runs a function in a child that is killed before its n-th change; whether it came so far."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other tests' threads do not matter
        child = os.fork()
    if child == 0:
        left = number

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            flags = arguments[2] if event == "open" else 0
            if event in _CHANGES or (isinstance(flags, int) and flags & _WRITING):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            act()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def cuts(site: Site, act: Callable[[], object]) -> Iterator[int]:
    """Every cut of an act, each from the same beginning."""
    folders = [site.repository, site.keys, site.place / "state"]
    for folder in folders:
        if folder.exists():
            shutil.copytree(folder, f"{folder}.before")
    number = 1
    while killed(act, number):
        yield number
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            if Path(f"{folder}.before").exists():
                shutil.copytree(f"{folder}.before", folder)
        number += 1


def left(folder: Path) -> list[str]:
    """What is in a folder after another process has written to it."""
    temporary.sweep(folder)
    return sorted(path.name for path in folder.iterdir())


def test_publishing_is_cut(site: Site) -> None:
    (site.place / "a.bin").write_bytes(b"new content")
    found = []
    for number in cuts(site, lambda: site.office.publish([site.place / "a.bin"])):
        box = Client(site.root, site.place / f"state{number}", site.box_clock)
        box.refresh(site.repository)
        found.append(box.fetch(site.repository, "a.bin"))
        office = Publisher(site.repository, site.keys, clock=site.office_clock)
        office.publish([site.place / "a.bin"])
        box.refresh(site.repository)
        assert box.fetch(site.repository, "a.bin") == b"new content"
        assert len(left(site.repository / "targets")) == 2
    # Old until the timestamp is there, new from then on.
    assert len(found) > 8
    assert found == sorted(found)
    assert set(found) == {b"content of a.bin", b"new content"}


@pytest.mark.parametrize("role", ["timestamp", "root"])
def test_a_rotation_is_cut(site: Site, role: str) -> None:
    site.box.refresh(site.repository)
    count = 0
    for count in cuts(site, lambda: site.office.rotate(role)):  # type: ignore[arg-type]  # noqa: B007
        site.box.refresh(site.repository)
        assert site.box.check("a.bin", b"content of a.bin")
        office = Publisher(site.repository, site.keys, clock=site.office_clock)
        office.rotate(role)  # type: ignore[arg-type]
        site.box.refresh(site.repository)
        assert site.box.check("a.bin", b"content of a.bin")
        assert len(list(site.keys.glob(f"{role}-*.key"))) == 1
    assert count > 4


def test_taking_over_is_cut(site: Site) -> None:
    site.box.refresh(site.repository)
    site.office.rotate("timestamp")
    (site.place / "a.bin").write_bytes(b"new content")
    site.office.publish([site.place / "a.bin"])
    count = 0
    for count in cuts(site, lambda: site.box.refresh(site.repository)):  # noqa: B007
        assert site.box.trusted.current is not None
        assert site.box.targets()
        site.box.refresh(site.repository)
        assert site.box.check("a.bin", b"new content")
        assert left(site.place / "state") == ["lock", "trusted.json"]
    assert count > 2
