"""The unit of a line: what systemd itself says of it, and what it opens for which line."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.service.conftest import MakeLine
from tests.support.command_line import Run

from sakedge.service.line import read_line
from sakedge.service.unit import SYSUSERS_TEXT, Service, lasting

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
CAMERA = {"source": "rtsp://10.0.3.17/main", "network": ["10.0.3.17"]}


def _service(path: Path, systemd: int = 0) -> Service:
    line = read_line(path)
    return Service("line", Path("/etc/sakedge/line.json"), line, Path("/bin/true"), systemd)


def _settings(unit: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", unit, re.M))


def _version() -> int:
    assert ANALYZE is not None
    said = subprocess.run([ANALYZE, "--version"], capture_output=True, text=True).stdout
    return int(said.split()[1])


@needs_systemd
@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({}, 0.8),
        ({"source": "parts"}, 0.6),
        ({"source": "parts", "backend": "onnxruntime"}, 0.5),
        (CAMERA, 1.4),
        ({"source": "rtsp://cam3/main", "network": True}, 1.4),
        ({"source": 0, "device": "GPU"}, 0.9),
    ],
    ids=["camera", "folder", "folder without machine code", "address", "network", "gpu"],
)
def test_systemd_finds_nothing_wrong_and_hardly_anything_exposed(
    fields: dict[str, object], most: float, make_line: MakeLine, tmp_path: Path
) -> None:
    assert ANALYZE is not None
    path = tmp_path / "sakedge-line.service"
    path.write_text(_service(make_line(**fields), _version()).unit)
    verified = subprocess.run([ANALYZE, "verify", path], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    command = [ANALYZE, "security", "--offline=true", "--no-pager", path]
    rated = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"exposure level for sakedge-line.service: ([\d.]+)", rated.stdout)
    assert found, rated.stderr
    assert float(found[1]) <= most


def test_a_line_gets_the_network_only_if_it_says_so(make_line: MakeLine) -> None:
    closed = _settings(_service(make_line()).unit)
    assert (closed["PrivateNetwork"], closed["IPAddressDeny"]) == ("yes", "any")
    assert closed["RestrictAddressFamilies"] == "AF_UNIX"
    one = _settings(_service(make_line(**CAMERA)).unit)
    assert "PrivateNetwork" not in one
    assert (one["IPAddressDeny"], one["IPAddressAllow"]) == ("any", "10.0.3.17")


def test_a_line_gets_its_camera_and_no_other_device(make_line: MakeLine) -> None:
    camera = _settings(_service(make_line(source=2)).unit)
    assert (camera["DevicePolicy"], camera["DeviceAllow"]) == ("closed", "/dev/video2 rw")
    assert _settings(_service(make_line(source="parts")).unit)["PrivateDevices"] == "yes"


def test_memory_that_is_written_and_run_is_forbidden_where_no_runtime_makes_code(
    make_line: MakeLine,
) -> None:
    for fields, value in (
        ({"backend": "onnxruntime"}, "yes"),
        ({"backend": "auto"}, "no"),
        ({"backend": "onnxruntime", "device": "CUDA"}, "no"),
    ):
        service = _service(make_line(**fields))
        assert _settings(service.unit)["MemoryDenyWriteExecute"] == value
        assert any("MemoryDenyWriteExecute" in note for note in service.notes) == (value == "no")


def test_pauses_between_restarts_grow_where_systemd_knows_how(make_line: MakeLine) -> None:
    assert "RestartSteps" not in _settings(_service(make_line(), 252).unit)
    assert _settings(_service(make_line(), 254).unit)["RestartMaxDelaySec"] == "2min"


def test_install_and_uninstall_leave_a_root_as_it_was_but_for_the_lines_file(
    run: Run, make_line: MakeLine, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for name in ("one", "two"):
        installed = run("service", "install", make_line(name), "--root", root)
        assert installed.exit_code == 0, installed.output
    units = root / "etc" / "systemd" / "system"
    users = root / "etc" / "sysusers.d" / "sakedge.conf"
    shown = run("service", "show", tmp_path / "one.json").stdout
    assert (units / "sakedge-one.service").read_text() == shown
    assert users.read_text() == SYSUSERS_TEXT
    assert run("service", "uninstall", "one", "--root", root).exit_code == 0
    assert users.exists()
    assert run("service", "uninstall", "two", "--root", root).exit_code == 0
    assert [path for path in root.rglob("*") if path.is_file()] == []
    for name in ("two", "../two"):
        gone = run("service", "uninstall", name, "--root", root)
        assert gone.exit_code == 64
        assert "no service of that name" in gone.stderr
    assert (tmp_path / "one.json").exists()


def test_a_unit_survives_an_upgrade_of_the_program(tmp_path: Path) -> None:
    python = tmp_path / "versions" / "0.1.0" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.touch()
    assert lasting(python) == python
    (tmp_path / "current").symlink_to("versions/0.1.0")
    assert lasting(python) == tmp_path / "current" / "bin" / "python3"
    assert lasting(tmp_path / "bin" / "python3") == tmp_path / "bin" / "python3"
