"""A lock between processes and threads: one holder, or several that share it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sakedge.errors import StorageError
from sakedge.files.locked import locked

HOLD = """
import sys
from pathlib import Path
from sakedge.files.locked import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_thread_at_a_time_is_inside(tmp_path: Path) -> None:
    inside, most = 0, 0

    def enter() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locked(tmp_path / "lock"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_another_process_waits_and_is_told_for_whom_until_that_dies(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with (
            pytest.raises(StorageError, match=f"process {holder.pid} holds it"),
            locked(lock, timeout=0),
        ):
            pass
        holder.kill()
    with locked(lock, timeout=0):
        pass


@pytest.mark.skipif(os.name != "posix", reason="Windows has no shared locks")
def test_readers_share_it_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    def is_free(*, shared: bool) -> bool:
        try:
            with locked(tmp_path / "lock", shared=shared, timeout=0):
                return True
        except StorageError:
            return False

    with locked(tmp_path / "lock", shared=True):
        assert is_free(shared=True)
        assert not is_free(shared=False)
    with locked(tmp_path / "lock"):
        assert not is_free(shared=True)
    assert is_free(shared=False)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot lock"), locked(tmp_path / "no" / "lock"):
        pass
