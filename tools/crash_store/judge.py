"""What a store must be after an act on it was interrupted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tools.crash_store.acts import Act
from tools.crash_store.disk import Tree, read_tree

from sakedge.errors import StoreError
from sakedge.store import Store

_MOMENT = re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def judge(
    folder: Path, act: Act, old: Tree | None, new: Tree, packs: Sequence[Path], *, use: bool
) -> bool:
    """Opens a store and checks that it is the old one or the new one, and nothing besides.

    Args:
        folder: The store, as the interrupted act left it.
        act: The act.
        old: All files before the act; None where there was no store.
        new: All files after it.
        packs: Packs to add.
        use: Whether all verbs are tried on it.

    Returns:
        Whether the act was done.

    Raises:
        AssertionError, SakedgeError: It is something else.
    """
    if old is None and not (folder / "store.json").exists():
        try:
            Store.open(folder)
        except StoreError:
            store = Store.create(folder)
        else:
            raise AssertionError("what has no store.json was opened")
        is_done = False
        assert _files(folder).keys() == _plain(new).keys()
    else:
        store = Store.open(folder)
        found = _files(folder)
        is_done = found == _plain(new)
        if act.is_atomic:
            assert is_done or (old is not None and found == _plain(old)), sorted(found)
        else:
            assert old is not None
            assert _plain(new).items() <= found.items() <= _plain(old).items(), sorted(found)
    check_whole(store)
    if use:
        _use(store, packs)
    return is_done


def check_whole(store: Store) -> None:
    """Checks that everything is there that is named, and nothing besides.

    Raises:
        AssertionError, SakedgeError: Something is missing, damaged or left over.
    """
    there = {entry.digest for entry in store.entries()}
    for digest in there:
        store.path(digest)
    for state in (store.state(), *store.history()):
        assert set(state.active.values()) <= there
    assert {each.name for each in (store.folder / "packs").iterdir()} == there
    hidden = [path for path in store.folder.rglob("*") if path.name.startswith(".")]
    assert hidden == [], hidden


def _use(store: Store, packs: Sequence[Path]) -> None:
    """Every verb works."""
    before = store.state().active
    for pack in packs:
        entry = store.add(pack)
        store.activate("sam@tried", entry.version)
    assert store.state().active["sam@tried"] == entry.digest
    for _ in packs:
        store.rollback("sam@tried")
    assert store.state().active == before
    store.rollback()
    store.gc(0)
    if "sam" in store.state().active:
        store.deactivate("sam")


def _files(folder: Path) -> dict[str, bytes | None]:
    return _plain(read_tree(folder))


def _plain(tree: Tree) -> dict[str, bytes | None]:
    """Without the lock, which holds the number of a process, and without moments."""
    return {
        path: content if content is None else _MOMENT.sub(b"", content)
        for path, content in tree.items()
        if path != "lock"
    }
