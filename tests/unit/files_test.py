"""Atomic writing, and what is left of writers that died."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.files import without_rights

from sakedge.errors import OptionError, StorageError
from sakedge.files import temporary
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.files.targets import check_target, followed, refuse_inputs


def write(path: Path, content: bytes = b"new") -> None:
    with atomic_write(path) as file:
        file.write(content)


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "a b", "#1", "-rf", "\udcff\udcfe", "a\nb"])
def test_any_name_that_the_system_takes_is_written(name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"new"


@pytest.mark.parametrize("name", ["x" * 256, "x\0", "\ud800", "missing/x", "file/x", ""])
def test_any_other_name_is_a_storage_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _read_only(path: Path) -> None:
    path.touch(mode=0o444)


@pytest.mark.parametrize("make", [_folder, _pipe, _read_only])
def test_what_is_no_file_or_may_not_be_written_stays(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # whose parents are for its owner alone
    make(Path("x"))
    before = Path("x").lstat()
    tmp_path.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:  # who may write everything
        os.seteuid(65534)
    try:
        with pytest.raises(StorageError, match="cannot write"):
            check_target(Path("x"))
        with pytest.raises(StorageError, match="cannot write"):
            write(Path("x"))
    finally:
        if is_root:
            os.seteuid(0)
    assert Path("x").lstat() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_device_is_never_replaced() -> None:
    with pytest.raises(StorageError, match="device"):
        write(Path(os.devnull))


def test_a_link_is_replaced_unless_it_was_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(followed(link), b"through")
    assert (link.is_symlink(), target.read_bytes()) == (True, b"through")
    write(link)
    assert (link.is_symlink(), target.read_bytes()) == (False, b"through")
    link.unlink()
    link.symlink_to(link)
    assert followed(link).name == "link"


def test_a_new_file_gets_the_permissions_of_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    (tmp_path / "x").chmod(0o604)
    write(tmp_path / "x")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o604


def test_writing_never_changes_the_mask_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.umask", pytest.fail)
    write(tmp_path / "x")


def _fails(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_permissions_and_syncing_will_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").touch()
    monkeypatch.setattr("os.fsync", _fails(number))
    monkeypatch.setattr("os.chmod", _fails(errno.EPERM))
    write(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"new"


def test_a_disk_that_cannot_keep_the_content_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", _fails(errno.EIO))
    with pytest.raises(StorageError, match="Input/output"):
        write(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL])
def test_a_file_system_without_locks_will_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _left_behind(tmp_path)
    monkeypatch.setattr("sakedge.files.temporary._lock", _fails(number))
    write(tmp_path / "x")
    assert left.exists()  # perhaps its writer lives
    long_ago = time.time() - 25 * 3600
    os.utime(left, (long_ago, long_ago))
    temporary.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def _left_behind(folder: Path) -> Path:
    descriptor, path = temporary.create(folder)
    os.close(descriptor)
    return path


WRITER = """
import sys
from pathlib import Path
from sakedge.files.atomic import atomic_write
with atomic_write(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_the_files_of_killed_writers_are_swept_and_those_of_living_ones_kept(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "x")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as dead, subprocess.Popen(command, **pipes) as alive:
        for process in (dead, alive):
            assert process.stdout is not None
            assert process.stdout.readline() == b"writing\n"
        dead.kill()
        dead.wait()
        assert len(list(tmp_path.iterdir())) == 2
        temporary.sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
        alive.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"half"


def test_the_first_file_written_to_a_folder_sweeps_it(tmp_path: Path) -> None:
    _left_behind(tmp_path)
    write(tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_only_temporary_files_are_swept(tmp_path: Path) -> None:
    kept = {".sakedge-x.tmp.png", ".part.png.abc.tmp", "x.tmp", ".sakedge-pipe.tmp"}
    for name in kept - {".sakedge-pipe.tmp"}:
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / ".sakedge-pipe.tmp")
    (tmp_path / ".sakedge-link.tmp").symlink_to(tmp_path / "x.tmp")
    temporary.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept | {".sakedge-link.tmp"}


def test_sweeping_while_others_write_takes_nothing_away(tmp_path: Path) -> None:
    done = threading.Event()

    def keep_sweeping() -> None:
        while not done.is_set():
            temporary.sweep(tmp_path)

    sweepers = [threading.Thread(target=keep_sweeping) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for number in range(300):
            write(tmp_path / f"{number}")
    finally:
        done.set()
        for sweeper in sweepers:
            sweeper.join()
    assert len(list(tmp_path.iterdir())) == 300


@pytest.mark.parametrize("spelling", ["./a", "../{folder}/a", "link", "hard", "folder/a"])
def test_an_input_is_known_under_any_name(spelling: str, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")
    (tmp_path / "folder").symlink_to(tmp_path)
    output = tmp_path / spelling.format(folder=tmp_path.name)
    with pytest.raises(OptionError, match="would overwrite the input"):
        refuse_inputs(output, [tmp_path / "gone", tmp_path / "a"])
    refuse_inputs(tmp_path / "new", [tmp_path / "a"])


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/x", "x\0"):
        with pytest.raises(StorageError):
            make_folder(tmp_path / name)
    with without_rights(tmp_path), pytest.raises(StorageError, match="Permission denied"):
        make_folder(tmp_path / "x")
