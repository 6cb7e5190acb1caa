"""A log and keys to sign it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sakedge.audit import AuditLog, AuditSettings
from sakedge.trust.keys import PrivateKey


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def log(folder: Path) -> AuditLog:
    return AuditLog.open(folder, AuditSettings(sync="never", rotate_bytes=4096))


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    return PrivateKey.generate()
