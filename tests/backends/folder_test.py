"""The cache's folder: judged by what was opened, never by a name."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.files import NOBODY

from sakedge.backends import cache
from sakedge.backends.folder import opened

KEY = "key"
ENTRY = f"{KEY}.blob"
BLOB = b"a compiled graph"

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX's rules")
as_root = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root can give files away"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache with one entry."""
    path = tmp_path / "cache"
    assert cache.store(path, KEY, BLOB) is None
    return path


def stored(folder: Path) -> bytes | None:
    found = cache.load(folder, KEY)
    return None if found is None else found.tobytes()


def link(entry: Path) -> None:
    entry.rename(entry.parent.parent / "elsewhere")
    entry.symlink_to(entry.parent.parent / "elsewhere")


def second_name(entry: Path) -> None:
    (entry.parent.parent / "elsewhere").hardlink_to(entry)


def pipe(entry: Path) -> None:
    entry.unlink()
    os.mkfifo(entry)


def folder_instead(entry: Path) -> None:
    entry.unlink()
    entry.mkdir()


def test_what_was_stored_is_for_this_user_alone(folder: Path) -> None:
    assert stored(folder) == BLOB
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ENTRY).stat().st_mode & 0o777 == 0o600


def test_nobody_else_can_read_an_entry_while_it_is_written(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        (unfinished,) = tmp_path.iterdir()
        modes.append(unfinished.stat().st_mode & 0o777)
        yield BLOB

    modes: list[int] = []
    cache.store_pieces(tmp_path, KEY, pieces())
    assert modes == [0o600]


@pytest.mark.parametrize("change", [link, second_name, pipe, folder_instead])
def test_what_is_not_a_file_of_its_own_is_not_read(
    change: Callable[[Path], None], folder: Path
) -> None:
    change(folder / ENTRY)
    assert stored(folder) is None


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_an_entry_that_others_can_write_is_not_read_but_replaced(mode: int, folder: Path) -> None:
    (folder / ENTRY).chmod(mode)
    assert stored(folder) is None
    assert cache.store(folder, KEY, BLOB) is None
    assert stored(folder) == BLOB


@as_root
def test_an_entry_of_another_user_is_not_read(folder: Path) -> None:
    os.chown(folder / ENTRY, NOBODY, -1)
    assert stored(folder) is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_can_write_to_is_no_cache(mode: int, folder: Path) -> None:
    folder.chmod(mode)
    assert stored(folder) is None
    assert "can be written by other users" in (cache.store(folder, KEY, BLOB) or "")


@as_root
def test_a_folder_of_another_user_is_no_cache(folder: Path) -> None:
    os.chown(folder, NOBODY, -1)
    assert stored(folder) is None
    assert "belongs to another user" in (cache.store(folder, KEY, BLOB) or "")


def test_a_link_to_a_folder_is_no_cache(folder: Path) -> None:
    other = folder.with_name("link")
    other.symlink_to(folder)
    assert stored(other) is None
    assert cache.store(other, "new", BLOB) is not None
    assert [path.name for path in folder.iterdir()] == [ENTRY]


def test_a_folder_that_is_exchanged_meanwhile_gets_nothing(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    with opened(folder) as place:
        folder.rename(tmp_path / "moved")
        folder.symlink_to(mine)
        with place.replacing("new.blob") as file:
            file.write(BLOB)
        place.prune(".blob", 1)
    assert list(mine.iterdir()) == []
    assert [path.name for path in (tmp_path / "moved").iterdir()] == ["new.blob"]


def test_what_dead_writers_left_is_swept_and_what_is_being_written_is_not(folder: Path) -> None:
    left_over = folder / ".a.blob.0.tmp"
    left_over.touch()
    with opened(folder) as place, place.replacing("b.blob") as file:
        (being_written,) = folder.glob(".b.blob.*.tmp")
        cache.store(folder, "new", BLOB)
        assert being_written.exists()
        assert not left_over.exists()
        file.write(BLOB)
    assert (folder / "b.blob").read_bytes() == BLOB


def test_a_writer_that_fails_leaves_nothing(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), opened(folder) as place, place.replacing(ENTRY):
        raise ZeroDivisionError
    assert [path.name for path in folder.iterdir()] == [ENTRY]
    assert stored(folder) == BLOB


def test_many_writers_and_readers_do_not_disturb_each_other(tmp_path: Path) -> None:
    """More keys than are kept, so that each one's sweep meets what others have just removed."""
    problems: list[object] = []

    def work(number: int) -> None:
        for i in range(30):
            key = f"{(number + i) % 8}"
            problems.append(cache.store_pieces(tmp_path, key, [key.encode() * 100], kept=3))
            found = cache.load(tmp_path, key)
            problems.append(found is not None and found.tobytes() != key.encode() * 100)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(problems)
    assert all(path.suffix == ".blob" for path in tmp_path.iterdir())
