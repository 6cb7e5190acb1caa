"""The command line in a process of its own: what only a real process can show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sakedge.backends import registry
from sakedge.runtime.evidence import rank

COMMAND = (sys.executable, "-m", "sakedge")


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def many_images(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(tmp_path / "part.png")
    for i in range(5000):
        (folder / f"{i:04d}.png").symlink_to(tmp_path / "part.png")
    return folder


def start(*arguments: object) -> subprocess.Popen[str]:
    """Starts the command as a shell would in the foreground.

    Tests may themselves run in the background, where shells have SIGINT ignored and children
    inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_an_interrupt_ends_cleanly(tiny_student: Path, many_images: Path) -> None:
    with start("predict", tiny_student, many_images, "--no-save") as process:
        assert "0000.png" in first_line(process)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed.splitlines()[-1].endswith((" image", " images"))
    assert errors == "sakedge: interrupted\n"


def test_a_closed_pipe_ends_cleanly(tiny_student: Path, many_images: Path) -> None:
    with start("predict", tiny_student, many_images, "--no-save", "--json") as process:
        assert json.loads(first_line(process))["source"].endswith("0000.png")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
        process.wait(timeout=60)
    assert process.returncode == 141
    assert errors == ""


def on_a_terminal(*arguments: object) -> tuple[int, str, str]:
    """Runs the command with standard error on a terminal: exit code, output, what it showed."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        seen = b""
        with suppress(OSError):  # the terminal's other end is closed: everything was read
            while chunk := os.read(ours, 1 << 16):
                seen += chunk
        os.close(ours)
        printed = process.stdout.read().decode()
    return process.returncode, printed, seen.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_stays_out_of_the_results(tiny_student: Path) -> None:
    options = ("-niter", "20", "--warmup", "0", "--rounds", "1", "--json")
    code, printed, seen = on_a_terminal("benchmark", tiny_student, *options)
    assert code == 0
    assert json.loads(printed)["results"]["total_number_of_iterations"] == 20
    assert "100%" in seen


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_of_a_large_image_counts_its_tiles(tiny_student: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((600, 900, 3), np.uint8)).save(tmp_path / "large.png")
    options = ("--fit", "tile", "--no-save")
    code, printed, seen = on_a_terminal("predict", tiny_student, tmp_path / "large.png", *options)
    assert code == 0
    assert "tile" in seen
    assert "900x600" in printed


def test_progress_of_a_large_image_is_printed_where_it_is_asked_for(
    tiny_student: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.zeros((600, 900, 3), np.uint8)).save(tmp_path / "large.png")
    options = ("predict", tiny_student, tmp_path / "large.png", "--fit", "tile", "--no-save")
    asked, quiet = run(*options, "--progress"), run(*options)
    assert "large.png, tile 1 of " in asked.stderr
    assert (asked.returncode, quiet.returncode) == (0, 0)
    assert "tile" not in asked.stdout + quiet.stdout + quiet.stderr


def test_an_error_is_one_line_without_a_traceback(tiny_student: Path) -> None:
    ended = run("predict", tiny_student, "nowhere")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("sakedge: no such source: nowhere")


def test_an_unknown_instruction_set_is_a_failure(tiny_student: Path) -> None:
    ended = run("predict", tiny_student, "x.png", SAKEDGE_ISA="abacus")
    assert ended.returncode == 1
    assert ended.stderr.startswith("sakedge: SAKEDGE_ISA names no instruction set")


def findings(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {each["topic"]: each for each in json.loads(ended.stdout)["findings"]}


def test_doctor_says_what_this_machine_can_do() -> None:
    ended = run("doctor", "--json")
    assert ended.returncode == 0, ended.stdout
    found = findings(ended)
    ranking = rank("auto", None, "fp32", registry.names())
    first = ranking.order[0]
    text = f"{first.backend}, {first.model} model (auto: {ranking.reason})"
    assert found["backend auto"]["text"] == text
    assert "affinity" in found["threads"]["text"]
    assert found["decoder"]["status"] == "ok"
    assert found["device NPU"]["text"]


def test_doctor_warns_of_a_missing_runtime(tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text("raise ImportError('not here')")
    ended = run("doctor", "--json", PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    assert ended.returncode == 2
    found = findings(ended)
    assert found["backend openvino"]["status"] == "warning"
    assert "pip install" in found["backend openvino"]["text"]
    assert found["backend auto"]["text"].startswith("onnxruntime, host model (auto: ")


def test_doctor_warns_of_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run("doctor", "--json", SAKEDGE_CACHE=str(tmp_path / "file" / "cache"))
    assert ended.returncode == 2
    assert findings(ended)["cache"]["status"] == "warning"


def test_doctor_fails_where_the_decoder_cannot_run() -> None:
    ended = run("doctor", "--json", SAKEDGE_ISA="abacus")
    assert ended.returncode == 1
    assert findings(ended)["decoder"]["status"] == "failure"


def test_doctor_without_json_is_a_table() -> None:
    ended = run("doctor")
    assert "backend onnxruntime" in ended.stdout
    assert ended.stderr == ""
