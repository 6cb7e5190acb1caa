"""Fresh processes of our own, started in a folder of anybody's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sakedge.runtime.workers import worker


@pytest.fixture
def _shadows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "runpy", "numpy", "sakedge"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_shadows")
def test_a_worker_imports_nothing_of_the_folder_it_is_started_in() -> None:
    ended = subprocess.run(worker("json.tool"), input='{"part": 7}', capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.split()) == (0, ["{", '"part":', "7", "}"])


@pytest.mark.usefixtures("_shadows")
@pytest.mark.parametrize("package", ["benchmarking", "compiling", "peers"])
def test_every_worker_gets_to_its_request(package: str) -> None:
    command = worker(f"sakedge.{package}.worker")
    ended = subprocess.run(command, input="no request", capture_output=True, text=True)
    assert "shadowed" not in ended.stderr
    assert "JSON" in ended.stdout + ended.stderr
