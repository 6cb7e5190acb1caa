"""The files that verbs write: all of them, under names of their own, and over no input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.command_line import Run

from sakedge.cli.written import Wanted, Writer
from sakedge.errors import OptionError
from sakedge.result import Result as Outcome

FILES = 6
"""Of each image: the plot and five tasks."""


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    return folder


def paint(path: Path, form: str = "PNG") -> Path:
    Image.fromarray(np.full((64, 96, 3), 90, np.uint8)).save(path, form)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "names",
    [
        ("part.png", "part_edge.png"),
        ("part.png", "part_edge.png", "part_edge-2.png", "part-2.png", "part.jpg"),
        ("Part.png", "part.png", "PART.PNG"),
        ("stra\u00dfe.png", "STRASSE.png"),
        ("\u00e9.png", "e\u0301.png"),
        ("a b.png", "a_b.png", "a#b.png", "a\nb.png"),
        ("x" * 251 + ".png", "x" * 250 + "y.png", "ü" * 125 + ".png"),
        ("\udcff.png", "\udcfe.png"),
        (".png.png", "png.png"),
        ("con.png", "CON.jpg"),
    ],
)
def test_all_results_of_all_images_are_there(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    for name in names:
        paint(parts / name)
    # A list of sources is not a command line's; a folder may leave hidden files out.
    found = len([name for name in names if not name.startswith(".")])
    result = run("predict", tiny_student, parts / "*.*", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(written) >= FILES * found
    assert len({name.casefold() for name in written}) == len(written)
    for path in (tmp_path / "out").iterdir():
        Image.open(path).verify()


def test_the_first_image_keeps_its_plain_names(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path
) -> None:
    paint(parts / "part.jpg", "JPEG")
    paint(parts / "part_edge.jpg", "JPEG")
    run("predict", tiny_student, parts, "-o", tmp_path / "out", "--tasks", "edge", "--save-json")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("part.png", "part_edge.png", "part.json"),
        *("part_edge-2.png", "part_edge-2_edge.png", "part_edge-2.json"),
    }


def _same(parts: Path) -> Path:
    return parts


def _dotted(parts: Path) -> Path:
    return parts / ".." / "parts" / "."


def _link(parts: Path) -> Path:
    link = parts.parent / "link"
    link.symlink_to(parts)
    return link


@pytest.mark.parametrize("spelling", [_same, _dotted, _link])
@pytest.mark.parametrize("source", [".", "part.png", "*.png"])
def test_results_never_lie_among_the_images(
    run: Run, tiny_student: Path, parts: Path, spelling: Callable[[Path], Path], source: str
) -> None:
    paint(parts / "part.png")
    before = contents(parts)
    result = run("predict", tiny_student, parts / source, "-o", spelling(parts))
    assert result.exit_code == 64
    assert "holds the images themselves" in result.stderr
    assert contents(parts) == before


def test_images_that_links_point_to_are_inputs_too(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    paint(tmp_path / "real" / "part.png")
    (parts / "a.png").symlink_to(tmp_path / "real" / "part.png")
    before = contents(tmp_path / "real")
    result = run("predict", tiny_student, parts, "-o", tmp_path / "real")
    assert result.exit_code == 64
    assert contents(tmp_path / "real") == before


def test_results_over_hard_links_of_the_images_leave_those_as_they_were(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path
) -> None:
    paint(parts / "part.png")
    before = contents(parts)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part.png").hardlink_to(parts / "part.png")
    (tmp_path / "out" / "part_edge.png").symlink_to(parts / "part.png")
    assert run("predict", tiny_student, parts, "-o", tmp_path / "out").exit_code == 0
    assert contents(parts) == before
    assert len(contents(tmp_path / "out")) == FILES


def test_a_folder_inside_the_images_will_do_and_is_no_input_the_next_time(
    run: Run, tiny_student: Path, parts: Path
) -> None:
    paint(parts / "part.png")
    assert run("predict", tiny_student, parts, "-o", parts / "out").exit_code == 0
    assert run("predict", tiny_student, parts, "-o", parts / "out").exit_code == 0
    assert len(list((parts / "out").iterdir())) == FILES
    result = run("predict", tiny_student, parts / "**" / "*.png", "-o", parts / "out")
    assert result.exit_code == 64


def test_nothing_is_refused_where_nothing_is_written(
    run: Run, tiny_student: Path, parts: Path
) -> None:
    paint(parts / "part.png")
    result = run("predict", tiny_student, parts, "-o", parts, "--no-save")
    assert result.exit_code == 0
    assert len(list(parts.iterdir())) == 1


def test_one_file_that_cannot_be_written_does_not_end_the_folder(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        paint(parts / name)
    (tmp_path / "out" / "b_edge.png").mkdir(parents=True)
    result = run("predict", tiny_student, parts, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "b_edge.png" in result.stderr
    assert "2 images, 1 could not be written; results in" in result.stdout
    assert {"a_edge.png", "c_edge.png"} <= contents_names(tmp_path / "out")


def contents_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_results_that_cannot_be_written_are_still_told(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path
) -> None:
    paint(parts / "b.png")
    (tmp_path / "out" / "b.png").mkdir(parents=True)
    result = run("predict", tiny_student, parts, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert set(json.loads(result.stdout)["tasks"]) >= {"edge"}


@pytest.mark.parametrize("output", ["file", "file/out", "x" * 300])
def test_an_impossible_folder_is_refused_before_any_image(
    run: Run, tiny_student: Path, parts: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "file").touch()
    paint(parts / "part.png")
    result = run("predict", tiny_student, parts, "-o", tmp_path / output)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("output", ["student.onnx", "./student.onnx", "link", "hard", "part.png"])
@pytest.mark.parametrize("peers", [(), ("--peers",)])
def test_a_benchmark_is_never_written_over_its_inputs(
    run: Run,
    tiny_student: Path,
    tmp_path: Path,
    output: str,
    peers: tuple[str, ...],
) -> None:
    student = tmp_path / "student.onnx"
    shutil.copy(tiny_student, student)
    (tmp_path / "link").symlink_to(student)
    (tmp_path / "hard").hardlink_to(student)
    before = contents(tmp_path)
    image = paint(tmp_path / "part.png")
    result = run("benchmark", student, image, "-o", tmp_path / output, *peers)
    assert result.exit_code == 64
    assert "would overwrite the input" in result.stderr
    assert {**contents(tmp_path), "part.png": b""} == {**before, "part.png": b""}


@pytest.mark.parametrize("output", ["missing/b.json", ".", os.devnull])
def test_a_benchmark_that_could_not_be_written_is_not_begun(
    run: Run, tmp_path: Path, output: str
) -> None:
    result = run("benchmark", tmp_path / "no-student.onnx", "-o", tmp_path / output)
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_a_benchmark_is_written_through_a_link(
    run: Run, tiny_student: Path, tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "reports" / "b.json")
    options = ("-niter", 2, "--warmup", 0, "--rounds", 1, "-o", tmp_path / "link.json")
    assert run("benchmark", tiny_student, *options).exit_code == 0
    assert (tmp_path / "link.json").is_symlink()
    found = json.loads((tmp_path / "reports" / "b.json").read_text())
    assert found["results"]["total_number_of_iterations"] == 2


@pytest.mark.parametrize("number", [0, 1])
def test_a_student_is_never_converted_over_its_inputs(
    run: Run, tiny_checkpoint: tuple[Path, Path], number: int
) -> None:
    before = [path.read_bytes() for path in tiny_checkpoint]
    result = run("convert", *tiny_checkpoint, "-o", tiny_checkpoint[number])
    assert result.exit_code == 64
    assert "would overwrite the input" in result.stderr
    assert [path.read_bytes() for path in tiny_checkpoint] == before


def test_frames_of_years_are_told_apart_by_their_numbers_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sakedge.files.names.Names.take", pytest.fail)  # it would remember each
    writer = Writer(Wanted(tmp_path, save=False, save_json=True), ())
    frame = Outcome({}, np.zeros((1, 1, 3), np.uint8), "rtsp://cam3/main")
    for number in range(3):
        writer.write(replace(frame, frame=number))
    assert contents_names(tmp_path) == {f"main_{number:06d}.json" for number in range(3)}


def test_a_writer_refuses_a_file_among_its_inputs(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="another folder with -o"):
        Writer(Wanted(tmp_path), [str(tmp_path / "gone.png")])


def test_a_killed_run_leaves_whole_files_and_the_next_one_sweeps(
    tiny_student: Path, parts: Path, tmp_path: Path
) -> None:
    for number in range(200):
        (parts / f"{number:03d}.png").symlink_to(parts.parent / "part.png")
    paint(parts.parent / "part.png")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "sakedge", "predict", str(tiny_student), str(parts)]
    command += ["-o", str(out), "--save-arrays"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        for _ in range(600):
            if out.exists() and len(list(out.iterdir())) > 10:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    shutil.copy(paint(tmp_path / "part.png"), out / ".sakedge-0123456789abcdef.tmp")
    for path in out.glob("[0-9]*.png"):
        Image.open(path).load()
    for path in out.glob("*.npz"):
        np.load(path)["edge"]
    subprocess.run([*command, "--limit", "1"], check=True, stdout=subprocess.DEVNULL)
    assert list(out.glob(".*")) == []
