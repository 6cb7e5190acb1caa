"""Fixtures of the tests of the store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.crash_store.packs import make_packs

from sakedge.store import Store


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Signed packs of `sam`, versions 1 to 3, and the student that they are of beside them."""
    return make_packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder where syncing takes no time, if there is one; which calls are made is the same."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.create(tmp_path / "store")


@pytest.fixture(scope="session")
def _full(tmp_path_factory: pytest.TempPathFactory, packs: list[Path]) -> Path:
    store = Store.create(tmp_path_factory.mktemp("full") / "store")
    for pack in packs:
        entry = store.add(pack)
        store.activate("sam", entry.version)
    return store.folder


@pytest.fixture
def full(tmp_path: Path, _full: Path) -> Store:
    """A store in which each version was active, one after the other, the last one is."""
    shutil.copytree(_full, tmp_path / "full")
    return Store.open(tmp_path / "full")
