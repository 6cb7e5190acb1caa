"""A site's folder with a trusted key, and a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.sites import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "site")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sam-2.safetensors"
    path.write_bytes(b"weights" * 1000)
    return path
