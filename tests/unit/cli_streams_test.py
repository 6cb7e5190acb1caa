"""The command line on streams that are closed, full, narrow or gone: one line and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.files import edit_manifest, set_field
from typer.testing import CliRunner

from sakedge.cli.app import build

COMMAND = (sys.executable, "-m", "sakedge")
HOSTILE = "\x1b[31m\x9b2J\u202eok\r\nsakedge: fine\x07[bold]:warning:\udcff"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def shell(
    redirection: str, *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command with its streams redirected as a shell does."""
    script = f'exec "$@" {redirection}'
    command = ["sh", "-c", script, "sh", *COMMAND, *map(str, arguments)]
    environment = {**os.environ, **(env or {})}
    return subprocess.run(command, capture_output=True, env=environment, check=False)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "part.png"
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(path)
    return path


@pytest.fixture(params=["version", "help", "inspect", "predict", "json"])
def arguments(request: pytest.FixtureRequest, tiny_student: Path, part: Path) -> tuple[object, ...]:
    predict = ("predict", tiny_student, part, "--no-save")
    return {
        "version": ("--version",),
        "help": ("predict", "--help"),
        "inspect": ("inspect", tiny_student),
        "predict": predict,
        "json": (*predict, "--json"),
    }[request.param]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line_and_a_failure(arguments: tuple[object, ...]) -> None:
    ended = shell(">/dev/full", *arguments)
    assert ended.returncode == 1
    assert ended.stderr == (b"sakedge: cannot write to standard output: No space left on device\n")


def test_a_reader_that_is_gone_ends_it_silently(arguments: tuple[object, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, *map(str, arguments)]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_without_standard_output_the_results_are_on_standard_error(
    arguments: tuple[object, ...],
) -> None:
    ended, expected = shell(">&-", *arguments), shell("", *arguments)
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert len(ended.stderr.splitlines()) == len(
        expected.stdout.splitlines() + expected.stderr.splitlines()
    )
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2>&- >&-", "2>&- >&- <&-"])
def test_errors_that_nobody_can_read_keep_their_code_and_stay_out_of_the_results(
    tiny_student: Path, redirection: str
) -> None:
    ended = shell(redirection, "predict", tiny_student, "nowhere", "--json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", b"")


def test_files_written_while_streams_are_closed_hold_nothing_else(
    tiny_student: Path, part: Path, tmp_path: Path
) -> None:
    options = ("predict", tiny_student, part, "-o", tmp_path / "out", "--save-arrays")
    ended = shell("<&- >&- 2>&-", *options, env={"SAKEDGE_LOG": "debug"})
    assert ended.returncode == 0
    for path in (tmp_path / "out").glob("*.png"):
        Image.open(path).load()
    assert np.load(tmp_path / "out" / "part.npz")["edge"].shape == (64, 96)


ENVIRONMENTS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "utf-16": {"PYTHONIOENCODING": "utf-16-le"},
    "posix": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_any_encoding_takes_any_text(
    name: str, tiny_student: Path, tmp_path: Path, part: Path
) -> None:
    student = edit_manifest(
        tiny_student,
        tmp_path / "student.onnx",
        set_field("tasks", 0, "labels", value=["\u017c", "日本語", "\U0001f600", "…"]),
    )
    strange = part.rename(tmp_path / "日本語-\u2192.png")
    for arguments in (
        ("inspect", student),
        ("predict", student, strange, "-o", tmp_path / "out", "--adapters", "none"),
        ("predict", student, strange, "-o", tmp_path / "out", "--json"),
        ("predict", student, tmp_path / "nix-\u2192"),
        ("predict", "--help"),
    ):
        ended = shell("", *arguments, env=ENVIRONMENTS[name])
        assert b"Traceback" not in ended.stderr, ended.stderr
        assert ended.returncode in (0, 1, 2, 64)
        if "--json" in arguments and ended.returncode == 0:
            text = ended.stdout.decode("utf-16-le" if name == "utf-16" else "ascii")
            for line in text.splitlines() if "predict" in arguments else [text]:
                json.loads(line)


@pytest.fixture
def hostile(tiny_student: Path, tmp_path: Path) -> Path:
    """A student whose every free text would act on a terminal."""
    text = HOSTILE.removesuffix("\udcff")

    def edit(manifest: dict[str, Any]) -> None:
        manifest["tasks"][0]["labels"] = [f"{text}{i}" for i in range(4)]
        manifest["tasks"][4]["unit"] = text
        for adapter in manifest["adapters"]:
            adapter["teacher"] = adapter["license"] = text
        manifest["provenance"] |= {"tool": text, "license": text}

    return edit_manifest(tiny_student, tmp_path / f"{text}.onnx".replace("/", "_"), edit)


def assert_harmless(*printed: bytes) -> None:
    for text in printed:
        for line in text.decode().split("\n"):
            assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
            assert not line.startswith("sakedge: fine")
            assert "\u26a0" not in line  # what rich makes of :warning:


@pytest.mark.parametrize("verb", ["inspect", "predict", "verify", "benchmark"])
@pytest.mark.parametrize("json_too", [False, True])
def test_control_characters_of_names_are_escaped(
    hostile: Path, part: Path, tmp_path: Path, verb: str, json_too: bool
) -> None:
    strange = part.rename(tmp_path / f"{HOSTILE}.png")
    arguments: dict[str, tuple[object, ...]] = {
        "inspect": ("inspect", hostile),
        "predict": ("predict", hostile, strange, "-o", tmp_path / f"out{HOSTILE}"),
        "verify": ("verify", hostile, strange, "--backend", "onnxruntime"),
        "benchmark": ("benchmark", hostile, "-niter", 1, "--warmup", 0, "--rounds", 1),
    }
    ended = shell("", *arguments[verb], *(["--json"] if json_too else []))
    assert ended.returncode == 0, ended.stderr
    assert_harmless(ended.stdout, ended.stderr)
    if json_too:
        json.loads(ended.stdout)


def test_control_characters_in_errors_are_escaped(tmp_path: Path, tiny_student: Path) -> None:
    strange = tmp_path / f"{HOSTILE}.png"
    strange.write_bytes(b"no student")
    for arguments in (
        ("inspect", strange),
        ("predict", tiny_student, tmp_path / f"no {HOSTILE}"),
        ("predict", tiny_student, strange),
        ("predict", tiny_student, tmp_path, "--tasks", HOSTILE),
        ("predict", tiny_student, strange, f"--{HOSTILE}"),
        (HOSTILE,),
    ):
        ended = CliRunner().invoke(build(), [str(each) for each in arguments])
        assert ended.exit_code in (1, 64)
        assert_harmless(ended.stdout_bytes, ended.stderr_bytes)
        assert "sakedge" in ended.stderr.splitlines()[-1]


def test_nothing_of_a_home_a_terminal_or_a_folder_is_needed(
    tiny_student: Path, part: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    environment = {"PATH": os.environ["PATH"], "SAKEDGE_CACHE": "off", "TERM": "no-such-terminal"}
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$@"'
    options = ["predict", str(tiny_student), str(part)]
    for output, code in ((str(tmp_path / "out"), 0), ("out", 1)):
        gone.mkdir(exist_ok=True)
        ended = subprocess.run(
            ["sh", "-c", script, "sh", *COMMAND, *options, "-o", output],
            capture_output=True,
            env=environment,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        assert len(ended.stderr.splitlines()) == code


def test_a_failure_leaves_nothing_in_the_json(
    tiny_student: Path, part: Path, tmp_path: Path
) -> None:
    for arguments, code in (
        (("inspect", part), 1),
        (("convert", part, part, "-o", tmp_path / "x.onnx"), 1),
        (("verify", tiny_student, tmp_path / "gone.png"), 1),
        (("benchmark", tiny_student, "--batch", "0"), 64),
        (("predict", tiny_student, tmp_path / "gone.png"), 1),
        (("predict", tiny_student, part, "--backend", "abacus"), 64),
    ):
        ended = CliRunner().invoke(build(), [str(each) for each in (*arguments, "--json")])
        assert (ended.exit_code, ended.stdout) == (code, "")
        assert len(ended.stderr.splitlines()) == 1
