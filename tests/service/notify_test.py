"""What a line tells its supervisor, over a real socket, from a real process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.service.conftest import Heard, MakeLine

from sakedge import logs
from sakedge.service.notify import Supervisor

BEAT = "WATCHDOG=1"
SILENT = 2.5
"""Seconds in which a loop that goes on would have told twice."""


def _run(line: Path, heard: Heard, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "NOTIFY_SOCKET": heard.address, "SAKEDGE_LOG": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "sakedge", "service", "run", str(line), *more],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_messages_are_those_of_sd_notify(heard: Heard, tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    supervisor = Supervisor(heard.address, beat)
    supervisor.status("loading\nREADY=1")
    assert heard.next() == "STATUS=loading\\nREADY=1"
    assert not beat.exists()
    supervisor.ready("ready")
    assert [heard.next(), heard.next()] == ["READY=1\nSTATUS=ready", BEAT]
    assert beat.exists()
    for _ in range(100):  # at most once a second
        supervisor.beat()
    supervisor.stopping()
    assert heard.next() == "STOPPING=1"


def test_a_socket_without_a_file_is_found_too() -> None:
    name = f"sakedge-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        Supervisor(f"@{name}").stopping()
        listening.settimeout(10)
        assert listening.recv(100) == b"STOPPING=1"


def test_nobody_who_listens_costs_nothing(tmp_path: Path) -> None:
    for address in (None, "", str(tmp_path / "absent"), "@absent"):
        supervisor = Supervisor(address)
        supervisor.ready("ready")
        supervisor.stopping()


def test_a_line_that_waits_for_its_camera_is_well_until_it_hangs_or_is_told_to_end(
    heard: Heard, make_line: MakeLine, tmp_path: Path
) -> None:
    camera = {"source": "rtsp://127.0.0.1:9/main", "network": True, "reconnect_pause": 1}
    line = make_line(threads=1, backend="onnxruntime", **camera)
    beat = tmp_path / "beat"
    process = _run(line, heard, "--beat", str(beat))
    try:
        assert heard.next().startswith("STATUS=loading")
        assert heard.next().startswith("READY=1\n")
        heard.until(BEAT)
        assert beat.exists()
        process.send_signal(signal.SIGSTOP)
        heard.forget()
        with pytest.raises(TimeoutError):
            heard.next(SILENT)
        process.send_signal(signal.SIGCONT)
        heard.forget()
        assert BEAT in heard.next().splitlines()
        while "could not be used; last: cannot open rtsp" not in heard.next():
            pass
        process.send_signal(signal.SIGTERM)
        heard.until("STOPPING=1")
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert "0 images" in out
    assert "cannot open rtsp" in err


def test_a_line_that_makes_results_says_what_it_does(
    heard: Heard, make_line: MakeLine, tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.full((64, 96, 3), 60 * i, np.uint8)).save(folder / f"{i}.png")
    out = tmp_path / "out"
    fields = {"source": str(folder), "output": str(out), "save_json": True, "threads": 1}
    process = _run(make_line(backend="onnxruntime", **fields), heard)
    said, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert said.splitlines()[-1].startswith("3 images")
    assert [path.name for path in sorted(out.iterdir())] == ["0.json", "1.json", "2.json"]


def test_a_line_whose_file_is_wrong_ends_as_no_restart_would_help(
    heard: Heard, make_line: MakeLine
) -> None:
    process = _run(make_line(colour="bgr"), heard)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 64
    assert "colour" in err


def test_lines_for_the_journal_begin_with_their_priority(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "journal").open("w") as journal, (tmp_path / "other").open("w") as other:
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert logs.priority("error", journal) == "<3>"
        assert logs.priority("warning", journal) == "<4>"
        assert logs.priority("error", other) == ""
        monkeypatch.delenv("JOURNAL_STREAM")
        assert logs.priority("error", journal) == ""
