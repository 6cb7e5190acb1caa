"""Fixtures of the tests of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.crash_store.packs import make_packs

from sakedge.store import Store


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Signed packs of `sam`, versions 1 to 3, and the student that they are of beside them."""
    return make_packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.create(tmp_path / "store")


@pytest.fixture
def full(store: Store, packs: list[Path]) -> Store:
    """A store in which each version was active, one after the other, the last one is."""
    for pack in packs:
        entry = store.add(pack)
        store.activate("sam", entry.version)
    return store
