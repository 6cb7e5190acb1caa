"""Captures that are closed, interrupted and abandoned, as `tools.soak_captures` does for long."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tools.soak_captures import close, interrupt, leave, write_video

from sakedge.sources import open_source

BOUND = 30
"""Seconds that count as hanging, on a machine that has other things to do."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "video.avi"
    write_video(path, 1920, 1080)
    return path


@pytest.mark.timeout(120)
def test_a_video_may_be_closed_from_another_thread(video: Path) -> None:
    assert [close(video, BOUND) for _ in range(8)] == [None] * 8


@pytest.mark.timeout(120)
def test_an_interrupt_ends_a_process_that_reads(video: Path) -> None:
    assert [interrupt(video, BOUND) for _ in range(3)] == [None] * 3


@pytest.mark.timeout(120)
def test_a_process_ends_cleanly_while_a_thread_of_it_reads(video: Path) -> None:
    assert [leave(video, BOUND) for _ in range(3)] == [None] * 3


@pytest.mark.timeout(60)
def test_many_threads_may_read_and_close_one_source(video: Path) -> None:
    source = open_source(video)
    seen: list[str] = []

    def read() -> None:
        seen.extend(frame.name for frame in source)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    for _ in threads:
        source.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert len(seen) == len(set(seen)), "a frame came twice"
