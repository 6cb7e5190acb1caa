"""A run of the tests says last what it could not exercise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_last_lines_count_what_was_skipped_by_reason(tmp_path: Path) -> None:
    (tmp_path / "some_test.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('i', range(4))\n"
        "def test_it(i):\n"
        "    if i: pytest.skip('needs a GPU' if i > 1 else 'needs a camera')\n"
    )
    run = [sys.executable, "-m", "pytest", "-p", "tests.support.unexercised", "-c", "/dev/null"]
    environment = {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [*run, str(tmp_path / "some_test.py")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    title, _, gpu, camera, _ = ran.stdout.splitlines()[-5:]
    assert "not exercised here: 3 of 4 tests" in title
    assert [line.split(maxsplit=1) for line in (gpu, camera)] == [
        ["2", "needs a GPU"],
        ["1", "needs a camera"],
    ]
