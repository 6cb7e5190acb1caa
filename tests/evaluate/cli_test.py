"""`sakedge evaluate`: files, exit codes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluate.conftest import write_folder
from tests.support.command_line import run_cli


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "data"
    write_folder(folder, 3)
    return folder
