"""A key, a keyring of it, and a file to sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from sakedge.trust.keyring import Keyring
from sakedge.trust.keys import PrivateKey


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture(scope="session")
def other() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture
def keyring(key: PrivateKey) -> Keyring:
    return Keyring.of(key.public)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sam-2.safetensors"
    path.write_bytes(b"weights" * 1000)
    return path
