"""`sakedge evaluate`: files, exit codes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.command_line import assert_refused
from tests.support.datasets import write_folder
from typer.testing import CliRunner, Result

from sakedge.cli.app import build


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "data"
    write_folder(folder, 3)
    return folder


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build(), ["evaluate", *map(str, arguments)])


def _written(output: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (output / "measured").iterdir()}


def test_it_writes_a_report_and_json_and_goes_on(
    tiny_student: Path, root: Path, tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text('{"sal": 10}')
    output = tmp_path / "evaluation"
    given = [tiny_student, "--data", root, "-o", output, "--tasks", "sal,height", "--threads", "1"]
    given += [
        "--adapters",
        "none",
        "--adapters",
        "sam",
        "--precision",
        "fp32",
        "--baseline",
        baseline,
    ]
    done = _run(*given)
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in output.iterdir()} == {
        "evaluation.json",
        "report.html",
        "measured",
    }
    assert "stem only" in done.stdout and "Δm" in done.stdout and "maxF" in done.stdout
    told = json.loads((output / "evaluation.json").read_text())
    assert [run["adapters"] for run in told["runs"]] == [[], ["sam"]]
    chunks = _written(output)
    assert len(chunks) == 2
    again = _run(*given, "--resume", "--json")
    assert json.loads(again.stdout) == told
    assert _written(output) == chunks


def test_faults_are_one_line(tiny_student: Path, root: Path, tmp_path: Path) -> None:
    nowhere = _run(tiny_student, "--data", tmp_path / "nowhere", "-o", tmp_path / "out")
    assert_refused(nowhere, 1, "is no data set", "no such folder")
    inside = _run(tiny_student, "--data", root, "-o", root / "out")
    assert_refused(inside, 64, "lies in the data set")
    kind = _run(tiny_student, "--data", root, "-o", tmp_path / "out", "--kind", "coco")
    assert_refused(kind, 64, "pascal-context, nyud-v2, folder")
    assert not (root / "out").exists()
