"""What wheels are built for, and what is refused before it could be shipped."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from tools.wheels.interpreters import HeadersError, headers, interpreter
from tools.wheels.measure import WrongWheelError, check_claim, measure, platform_tags
from tools.wheels.targets import FLOOR, MACHINES, PYTHONS, Target, all_targets

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli", reason="Python 3.10 has no TOML")

ROOT = Path(__file__).parents[2]
TARGET = Target("3.12", "x86_64")
# Of a module for Python 3.12: what it exports, what pybind11 keeps, and a call that glibc has had
# in this form since 2.27 (expf) or 2.34 (pthread_create).
MODULE = """
float expf(float);
int pthread_create(void *, void *, void *, void *);
void *PyUnicode_FromString(const char *);
const char *const kVersion = "x\\0003.12\\0";
__attribute__((visibility("default"))) void *PyInit__core(void) {
  return PyUnicode_FromString(kVersion + (CALL));
}
"""
EXPF, THREADS = "(int)expf(1.0f)", "pthread_create(0, 0, 0, 0)"


def make_wheel(folder: Path, call: str = EXPF, tags: str = "manylinux_2_28_x86_64") -> Path:
    """A wheel with one small module."""
    if platform.machine() != "x86_64" or shutil.which("gcc") is None:
        pytest.skip("needs gcc on x86-64")
    source = folder / "module.c"
    source.write_text(MODULE.replace("CALL", call))
    module = folder / "module.so"
    options = [
        "-shared",
        "-fPIC",
        "-fno-builtin",
        "-fvisibility=hidden",
        "-s",
        "-w",
        "-o",
        str(module),
    ]
    subprocess.run(["gcc", str(source), *options, "-lm"], check=True)
    wheel = folder / f"sakedge-0.1.0-cp312-cp312-{tags}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(module, f"sakedge/_core{TARGET.extension}")
        archive.writestr("sakedge-0.1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("sakedge-0.1.0.dist-info/RECORD", f"sakedge/_core{TARGET.extension},,\n")
    return wheel


@pytest.mark.parametrize(("call", "glibc"), [(EXPF, (2, 27)), (THREADS, (2, 34))])
def test_the_glibc_that_a_wheel_needs_is_read_from_its_symbols(
    tmp_path: Path, call: str, glibc: tuple[int, int]
) -> None:
    assert measure(make_wheel(tmp_path, call), TARGET).glibc == glibc


def test_the_tags_are_what_was_measured_and_what_is_promised(tmp_path: Path) -> None:
    measured = measure(make_wheel(tmp_path), TARGET)
    assert platform_tags(measured) == ["manylinux_2_27_x86_64", "manylinux_2_28_x86_64"]


def test_a_wheel_that_needs_a_newer_glibc_than_promised_gets_no_tag(tmp_path: Path) -> None:
    measured = measure(make_wheel(tmp_path, THREADS), TARGET)
    with pytest.raises(WrongWheelError, match=r"needs glibc 2\.34, not 2\.28"):
        platform_tags(measured)


def test_a_wheel_whose_name_claims_an_older_glibc_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, THREADS, "manylinux_2_28_x86_64")
    with pytest.raises(
        WrongWheelError, match=r"claims manylinux_2_28_x86_64, and needs glibc 2\.34"
    ):
        check_claim(wheel, measure(wheel, TARGET).glibc)
    honest = make_wheel(tmp_path, THREADS, "manylinux_2_34_x86_64")
    check_claim(honest, measure(honest, TARGET).glibc)


@pytest.mark.parametrize(
    ("call", "target", "message"),
    [
        (EXPF, Target("3.13", "x86_64"), "expected"),
        (EXPF, Target("3.12", "aarch64"), "expected"),
        (EXPF, Target("3.12", "x86_64", cuda=True), "expected"),
        ("__libc_single_threaded_of_a_newer_one()", TARGET, "nobody has"),
    ],
)
def test_a_wheel_with_other_modules_than_its_target_has_is_refused(
    tmp_path: Path, call: str, target: Target, message: str
) -> None:
    wheel = make_wheel(tmp_path, call)
    with pytest.raises(WrongWheelError, match=message):
        measure(wheel, target)


def test_a_module_that_was_compiled_for_another_python_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    other = Target("3.13", "x86_64")
    renamed = tmp_path / "renamed.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(renamed, "w") as new:
        content = old.read(f"sakedge/_core{TARGET.extension}")
        new.writestr(f"sakedge/_core{other.extension}", content)
    with pytest.raises(WrongWheelError, match=r"not compiled for Python 3\.13"):
        measure(renamed, other)


def test_there_is_a_wheel_for_every_python_that_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: "
    supported = [c.removeprefix(prefix) for c in project["classifiers"] if c.startswith(prefix)]
    assert list(PYTHONS) == supported
    found = {(t.python, t.machine, t.cuda) for t in all_targets()}
    assert found == {(p, m, c) for p in supported for m in MACHINES for c in (False, True)}


def test_the_page_of_platforms_states_every_python_and_the_promised_glibc() -> None:
    page = (ROOT / "docs" / "platforms.md").read_text()
    assert f"manylinux_{FLOOR[0]}_{FLOOR[1]}" in page
    for python in PYTHONS:
        assert f"| {python} |" in page, python


def test_an_interpreter_is_of_the_version_that_was_asked_for() -> None:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    path = interpreter(here)
    if path is not None:
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        ran = subprocess.run(asked, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == here
    assert interpreter("3.99") is None


def test_a_python_without_headers_is_left_out_by_name_and_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.wheels.interpreters.KEYRING", tmp_path / "none")
    with pytest.raises(
        HeadersError, match=r"no python3\.99 here, and no apt-get to fetch libpython3"
    ):
        headers("3.99", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_wheel_has_its_metadata_and_is_the_same_bytes_twice(tmp_path: Path) -> None:
    """Without its compiled modules, whose tool builds them; those of a source tree stay out."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    options = ["-Cwheel.cmake=false", "-Cwheel.tags=cp312-cp312-linux_x86_64"]
    digests = set()
    for name in ("once", "twice"):
        folder = ["--wheel-dir", str(tmp_path / name), "-Cwheel.reproducible=true"]
        subprocess.run([*pip, *options, *folder, str(ROOT)], check=True, capture_output=True)
        (wheel,) = (tmp_path / name).glob("*.whl")
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert len(digests) == 1
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = wheel.name.split("-cp312")[0] + ".dist-info"
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
        entries = archive.read(f"{info}/entry_points.txt").decode()
    assert not [name for name in names if name.endswith((".so", ".pyd", "kernels.zip"))]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(metadata.get_all("Provides-Extra")) == set(project["optional-dependencies"])
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in names
    assert metadata["Requires-Python"] == project["requires-python"]
    assert "[console_scripts]\nsakedge = sakedge.cli:main" in entries
    assert {"sakedge/py.typed", "sakedge/assets/demo-student.onnx"} <= set(names)
