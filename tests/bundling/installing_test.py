"""Installing, upgrading, going back and removing: what changes, and what stays."""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sakedge.bundling.installer import bytecode
from sakedge.bundling.installer.building import build
from sakedge.bundling.installer.checking import Checked, check_bundle, require_whole
from sakedge.bundling.installer.installed import check_installed
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.installer.machine import check_machine, check_space, find_python
from sakedge.bundling.installer.place import Place
from sakedge.errors import BundleError, InstallError

Run = Callable[..., subprocess.CompletedProcess[str]]


def says(prefix: Path) -> str:
    """What the program that is installed prints."""
    ran = subprocess.run([prefix / "bin" / "sakedge"], capture_output=True, text=True)
    return ran.stdout.strip()


def versions(prefix: Path) -> list[str]:
    return sorted(each.name.partition("-")[0] for each in (prefix / "versions").iterdir())


def test_the_life_of_an_installation(
    first: Path, second: Path, failing: Path, scratch: Path, prefix: Path, install: Run
) -> None:
    ended = install(first, "--key", scratch / "key.pub")
    assert ended.returncode == 0, ended.stderr
    assert "which is trusted here" in ended.stdout
    assert says(prefix) == "stand-in 1.0"
    assert (prefix / "etc" / "line.json").read_text() == '{"lamp": 3}\n'
    student = (prefix / "current" / "student" / "student.onnx").resolve()

    # What the site and its people write is theirs, whatever comes after.
    (prefix / "etc" / "line.json").write_text('{"lamp": 4}\n')
    (prefix / "var" / "store").mkdir()
    (prefix / "var" / "store" / "store.json").write_text("{}")

    ended = install(failing)
    assert ended.returncode == 1
    assert "did not pass its trial" in ended.stderr
    assert says(prefix) == "stand-in 1.0"

    # An upgrade may come by the installer that is there already, and is trusted.
    trusted = prefix / "current" / "bundle"
    assert install(trusted, second).returncode == 0
    assert says(prefix) == "stand-in 2.0"
    assert versions(prefix) == ["1.0", "2.0"]

    ended = install(trusted, "--rollback")
    assert ended.returncode == 0, ended.stderr
    assert says(prefix) == "stand-in 1.0"
    assert install(second).returncode == 0
    assert says(prefix) == "stand-in 2.0"

    ended = install(trusted, "--uninstall")
    assert ended.returncode == 0, ended.stderr
    assert sorted(each.name for each in prefix.iterdir()) == ["etc", "var"]
    assert student.is_file()
    assert (prefix / "etc" / "line.json").read_text() == '{"lamp": 4}\n'
    assert (prefix / "var" / "store" / "store.json").exists()
    assert install(second, "--uninstall", "--purge").returncode == 0
    assert not prefix.exists()


def test_what_was_changed_in_an_installation_is_named_and_repaired(
    first: Path, prefix: Path, install: Run
) -> None:
    assert install(first).returncode == 0
    with Place.at(prefix).held():
        ended = install(first)
    assert ended.returncode == 1
    assert f"process {os.getpid()} holds it" in ended.stderr
    ended = install(first, "--rollback")
    assert ended.returncode == 1
    assert "no version before" in ended.stderr

    version = (prefix / "current").resolve()
    packages = next(version.glob("lib/python*")) / "site-packages"
    cache = packages / "sakedge" / "__pycache__"
    subprocess.run([version / "bin" / "python3", "-c", "import sakedge"], check=True)
    assert faults(prefix) == []
    shutil.copyfile(next(cache.glob("__main__.*")), next(cache.glob("__init__.*")))
    (cache / "absent.cpython-311.pyc").write_bytes(b"of no source")
    (packages / "sakedge" / "__main__.py").write_text("changed")
    (packages / "sitecustomize.py").write_text("import os")
    (packages / "pip" / "__main__.py").unlink()
    (version / "pyvenv.cfg").write_text("home = /tmp\n")
    (version / "bundle" / "bundle.json").write_text("{}")
    ((version / "student").resolve() / "student.onnx").write_bytes(b"another")
    (version / "bin" / "python3").unlink()
    (version / "bin" / "python3").symlink_to(prefix / "current" / "evil")
    (prefix / "bin" / "sakedge").write_text("#!/bin/sh\n")
    named = "\n".join(faults(prefix))
    for name in (
        *("sakedge/__main__.py", "sitecustomize.py", "pip/__main__.py", "pyvenv.cfg"),
        *("bundle/bundle.json", "student.onnx", "bin/python3", "__init__.cpython", "absent."),
    ):
        assert name in named, name
    assert install(first).returncode == 0
    assert faults(prefix) == []
    assert says(prefix) == "stand-in 1.0"


def faults(prefix: Path) -> list[str]:
    found, _ = check_installed(Place.at(prefix), (prefix / "current").resolve().name, Trust())
    return [str(fault) for fault in found]


def test_bytecode_is_sound_if_its_source_compiles_to_it(tmp_path: Path) -> None:
    for name, text in (("a", "x = 1\n"), ("b", "x = 2\n")):
        (tmp_path / f"{name}.py").write_text(text)
        py_compile.compile(str(tmp_path / f"{name}.py"), optimize=0)
    a, b = (next((tmp_path / "__pycache__").glob(f"{name}.*")) for name in "ab")
    name = f"__pycache__/{a.name}"
    assert bytecode.source_of(name) == "a.py"
    assert bytecode.is_compiled(tmp_path, name)
    os.utime(tmp_path / "a.py", (0, 0))
    py_compile.compile(str(tmp_path / "a.py"))  # of another time: other bytes, the same code
    assert bytecode.is_compiled(tmp_path, name)
    good = a.read_bytes()
    for wrong in (b.read_bytes(), b"", good[:20], b"\0" * 16 + good[16:], good[:16] + b"\xff"):
        a.write_bytes(wrong)
        assert not bytecode.is_compiled(tmp_path, name)
    for other in ("a.pyc", "__pycache__/a.pyc", "__pycache__/a.pypy39.pyc"):
        assert bytecode.source_of(other) is None


@pytest.mark.parametrize(
    ("name", "value", "got"),
    [("machine", "riscv64", "riscv64"), ("glibc", "2.999", "glibc"), ("python", "3.99", "3.99")],
)
def test_a_bundle_for_another_machine_is_refused(
    name: str, value: str, got: str, first: Path
) -> None:
    manifest = require_whole(check_bundle(first, Trust()), first)
    other = type(manifest)(**{**manifest.__dict__, name: value})
    check_machine(manifest)
    with pytest.raises(InstallError, match=got):
        check_machine(other)
        find_python(other.python, "x")


def test_a_disk_with_too_little_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    check_space(tmp_path / "not" / "there", 1)
    with pytest.raises(InstallError, match="too little room"):
        check_space(tmp_path / "not" / "there", 1 << 60)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_is_exchanged_after_it_was_checked_is_not_used(
    bundle: Path, prefix: Path
) -> None:
    checked = check_bundle(bundle, Trust())
    manifest = require_whole(checked, bundle)
    (bundle / "install.sh").write_text("#!/bin/sh\n")
    python = find_python(manifest.python, "x")
    place = Place.at(prefix)
    with pytest.raises(BundleError, match=r"install\.sh was changed while"):
        build(bundle, checked, manifest, place, "x", python, lambda step, share: None)
    assert place.running() is None


def test_a_wheel_that_pip_finds_changed_is_refused(bundle: Path, prefix: Path) -> None:
    """Beside our own check, pip compares every wheel with the lock."""
    checked = check_bundle(bundle, Trust())
    lock = bundle / "requirements.txt"
    lock.write_text(lock.read_text().replace("sha256:", "sha256:" + "0" * 8)[: -8 - 1] + "\n")
    forged = _relisted(checked, "requirements.txt", lock)
    manifest = require_whole(forged, bundle)
    python = find_python(manifest.python, "x")
    with pytest.raises(InstallError, match="pip refused"):
        build(bundle, forged, manifest, Place.at(prefix), "x", python, lambda step, share: None)


def _relisted(checked: Checked, name: str, path: Path) -> Checked:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return type(checked)(**{**checked.__dict__, "listed": {**checked.listed, name: digest}})


@pytest.mark.parametrize(
    "options", [("--rollback",), ("--verify", "--installed"), ("--key", "a\x1bb")]
)
def test_what_cannot_be_done_is_one_line_and_a_code(
    options: Sequence[str], first: Path, install: Run
) -> None:
    ended = install(first, *options)
    assert ended.returncode == 1
    assert ended.stderr.startswith("refused: ")
    assert ended.stderr.count("\n") == 1
    assert "\x1b" not in ended.stderr


def test_usage_errors_have_their_code(first: Path, install: Run) -> None:
    assert install(first, "--frobnicate").returncode == 64
    assert install(first, "--rollback", "--uninstall").returncode == 64
