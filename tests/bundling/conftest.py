"""Bundles of the stand-in program, made once, and installations of them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tools.check_bundle.standins import make_small_bundle

from sakedge.bundling.contents import gather
from sakedge.trust.keys import PrivateKey

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture(scope="session")
def other_key() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory, key: PrivateKey) -> Path:
    """Wheels, locks, a configuration and the public key."""
    folder = tmp_path_factory.mktemp("bundles")
    key.public.write(folder / "key.pub")
    (folder / "line.json").write_text('{"lamp": 3}\n')
    return folder


@pytest.fixture(scope="session")
def first(scratch: Path, tiny_student: Path, key: PrivateKey) -> Path:
    """Version 1.0, signed, with a configuration. Not to be written to."""
    contents = gather(tiny_student, config=[scratch / "line.json"])
    make_small_bundle(scratch / "first", scratch, tiny_student, keys=(key,), contents=contents)
    return scratch / "first"


@pytest.fixture(scope="session")
def second(scratch: Path, tiny_student: Path, key: PrivateKey) -> Path:
    """Version 2.0, signed. Not to be written to."""
    make_small_bundle(scratch / "second", scratch, tiny_student, "2.0", keys=(key,))
    return scratch / "second"


@pytest.fixture(scope="session")
def failing(scratch: Path, tiny_student: Path) -> Path:
    """Version 3.0, unsigned, which does not pass its trial. Not to be written to."""
    make_small_bundle(scratch / "failing", scratch, tiny_student, "3.0", fails=True)
    return scratch / "failing"


@pytest.fixture
def bundle(first: Path, tmp_path: Path) -> Path:
    """A copy of the first one, to be spoilt."""
    return Path(shutil.copytree(first, tmp_path / "bundle"))


def call(bundle: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a bundle's install.sh."""
    command = ["sh", bundle / "install.sh", *options]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder where syncing takes no time, if there is one."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def prefix(memory: Path) -> Path:
    """Where nothing is installed yet."""
    return memory / "opt"


@pytest.fixture
def install(prefix: Path) -> Run:
    """Calls a bundle's install.sh for `prefix`."""
    return lambda bundle, *options: call(bundle, *options, "--prefix", prefix)
