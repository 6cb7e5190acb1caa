"""Making bundles: the same bytes of the same lock, and refusals that say what to do."""

from __future__ import annotations

import filecmp
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tools.check_bundle.standins import HERE, TARGET, make_program, make_wheel

from sakedge.bundling.archive import unpacked
from sakedge.bundling.contents import gather
from sakedge.bundling.installer.checking import check_bundle
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.installer.walk import found_in
from sakedge.bundling.lock import read_lock
from sakedge.bundling.make import Ask, make_bundle
from sakedge.bundling.own_wheel import choose
from sakedge.bundling.pyz import imports, make_installer, needed_modules
from sakedge.bundling.resolving import requirements, take
from sakedge.bundling.targets import Target, read_targets
from sakedge.bundling.wheel import Wheel, wheels_in
from sakedge.errors import BundleError, OptionError, SakedgeError
from sakedge.trust.keys import PrivateKey

# Modules of the standard library of every Python that an installer may meet, 3.10 the oldest.
STANDARD = {
    *("__future__", "argparse", "base64", "binascii", "collections", "contextlib", "ctypes"),
    *("dataclasses", "errno", "fcntl", "functools", "hashlib", "importlib", "itertools", "json"),
    *("marshal", "math", "msvcrt", "os", "pathlib", "platform", "re", "reprlib", "secrets"),
    *("shlex", "shutil", "signal", "stat", "subprocess", "sys", "time", "types", "typing"),
    *("unicodedata", "warnings", "zipfile"),
}


@pytest.fixture
def ask(scratch: Path, first: Path, key: PrivateKey) -> Ask:
    """As `first` was asked for."""
    wheels = scratch / "wheels-1.0"
    return Ask(TARGET, HERE, wheels, lock=first / "requirements.txt", keys=(key,))


def make(ask: Ask, student: Path, output: Path) -> Path:
    return make_bundle(gather(student), output, ask, lambda step, share: None).path


def test_one_lock_makes_the_same_bytes_as_folder_and_as_file(
    ask: Ask, tiny_student: Path, tmp_path: Path
) -> None:
    one, two = (make(ask, tiny_student, tmp_path / name) for name in ("one", "two"))
    names = list(found_in(one))
    assert filecmp.cmpfiles(one, two, names, shallow=False) == (names, [], [])
    first, again = (make(ask, tiny_student, tmp_path / f"{i}.tar") for i in range(2))
    assert first.read_bytes() == again.read_bytes()
    with unpacked(first) as folder:
        assert filecmp.cmpfiles(one, folder, names, shallow=False) == (names, [], [])


def test_a_changed_byte_anywhere_in_a_file_is_found(
    ask: Ask, tiny_student: Path, tmp_path: Path
) -> None:
    path = make(ask, tiny_student, tmp_path / "bundle.tar")
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 15):
        changed = bytearray(content)
        changed[place] ^= 0x01
        path.write_bytes(changed)
        try:
            with unpacked(path) as folder:
                assert check_bundle(folder, Trust()).faults, place
        except SakedgeError:
            pass


def test_a_wheel_that_was_altered_after_it_was_locked_is_refused_by_name(
    ask: Ask, tiny_student: Path, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for path in ask.wheels.iterdir():
        (wheels / path.name).write_bytes(path.read_bytes())
    with zipfile.ZipFile(wheels / "sakedge-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("sakedge/more.py", "")
    with pytest.raises(BundleError, match=r"sakedge-1\.0-py3-none-any\.whl is not the wheel"):
        make(replace(ask, wheels=wheels), tiny_student, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_the_locked_wheel_of_sakedge_there_is_no_bundle(
    ask: Ask, tiny_student: Path, tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()
    make_program(tmp_path / "wheels", "9.9")
    with pytest.raises(BundleError, match=r"no wheel of sakedge 1\.0"):
        make(replace(ask, wheels=tmp_path / "wheels"), tiny_student, tmp_path / "out")


def test_what_is_there_is_never_written_over(ask: Ask, tiny_student: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OptionError, match="is there already"):
        make(ask, tiny_student, tmp_path / "out")


def test_a_lock_holds_for_its_target_and_takes_what_is_there(first: Path, scratch: Path) -> None:
    lock = read_lock(first / "requirements.txt", TARGET)
    assert set(lock) == {"pip", "sakedge"}
    assert len(requirements(lock)) == 1
    with pytest.raises(BundleError, match="for another target"):
        read_lock(first / "requirements.txt", "jetson-jp6")
    with pytest.raises(BundleError, match="no lock"):
        read_lock(scratch / "line.json", TARGET)
    (scratch / "taken").mkdir()
    assert take(lock, wheels_in(scratch / "wheels-1.0"), scratch / "taken") == {"pip", "sakedge"}


def wheel(folder: Path, name: str, *files: str) -> Wheel:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.writestr(file, b"")
    return Wheel.read(path)


def test_the_wheel_of_sakedge_is_the_one_for_the_target(tmp_path: Path) -> None:
    jetson = read_targets()["jetson-jp6"]
    there = [
        wheel(tmp_path, f"sakedge-{version}-{tag}.whl", *files)
        for version, tag, *files in (
            ("1.0", "cp310-cp310-manylinux_2_28_aarch64"),
            ("1.1", "cp310-cp310-manylinux_2_28_aarch64", "sakedge/_cuda.pyi"),
            ("1.2", "cp310-cp310-manylinux_2_36_aarch64"),
            ("1.3", "cp310-cp310-manylinux_2_28_x86_64"),
            ("1.4", "cp311-cp311-manylinux_2_28_aarch64"),
            ("1.5", "cp310-cp310-linux_aarch64"),
            ("1.6", "cp310-cp310-manylinux_2_28_aarch64", "sakedge/_cuda.cpython-310.so"),
        )
    ]
    assert choose(there, jetson, cuda=False, where=tmp_path).version == "1.1"
    assert choose(there, jetson, cuda=True, where=tmp_path).version == "1.6"
    with pytest.raises(BundleError) as refused:
        choose(there[2:], jetson, cuda=False, where=tmp_path)
    for each in there[2:]:
        assert each.path.name in str(refused.value)
    assert "with CUDA" in str(refused.value)


def test_wheels_of_one_name_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    jetson = read_targets()["jetson-jp6"]
    (tmp_path / "cuda").mkdir()
    name = "sakedge-1.0-cp310-cp310-manylinux_2_28_aarch64.whl"
    with_cuda = wheel(tmp_path / "cuda", name, "sakedge/_cuda.cpython-310.so")
    plain = wheel(tmp_path, name)
    for there in ([with_cuda, plain], [plain, with_cuda]):
        assert choose(there, jetson, cuda=True, where=tmp_path) is with_cuda
        assert choose(there, jetson, cuda=False, where=tmp_path) is plain


def test_a_wheel_tells_what_it_becomes_where_it_is_installed(tmp_path: Path) -> None:
    files = {
        "a/__init__.py": b"1",
        "a-1.data/purelib/a/more.py": b"2",
        "a-1.data/data/share/a.txt": b"3",
        "a-1.data/scripts/a": b"4",
    }
    found = Wheel.read(make_wheel(tmp_path, "a", "1", files))
    paths = {path for path, _, _ in found.installed("3.12")}
    packages = "lib/python3.12/site-packages"
    assert {f"{packages}/a/__init__.py", f"{packages}/a/more.py", "share/a.txt"} <= paths
    assert not any(path.endswith("/a") for path in paths)
    hostile = wheel(tmp_path, "b-1-py3-none-any.whl", "../../etc/passwd")
    with pytest.raises(BundleError, match="no safe name"):
        list(hostile.installed("3.12"))
    odd = Wheel.read(make_wheel(tmp_path, "c", "1", {"c-1.data/kernel/c": b""}))
    with pytest.raises(BundleError, match="cannot be installed"):
        list(odd.installed("3.12"))


def test_both_jetpacks_are_targets_with_what_runs_there() -> None:
    found = read_targets()
    six, seven = found["jetson-jp6"], found["jetson-jp7"]
    assert (six.python, six.glibc, six.pins[0]) == ("3.10", "2.35", "onnxruntime==1.23.2")
    assert (seven.python, seven.glibc, seven.pins[0]) == ("3.12", "2.39", "onnxruntime==1.32.*")
    assert {f"linux-x86_64-py3.{minor}" for minor in range(10, 15)} <= set(found)
    assert six.platforms[0] == "manylinux_2_35_aarch64"
    assert "manylinux2014_aarch64" in six.platforms
    assert "cp310-abi3-manylinux_2_17_aarch64" in six.tags
    assert "py3-none-any" in six.tags


def test_anyone_can_add_a_target(tmp_path: Path) -> None:
    row = {"python": "3.12", "machine": "x86_64", "glibc": "2.39", "pins": ["numpy<2.4"]}
    path = tmp_path / "more.json"
    path.write_text(json.dumps({"format_version": 1, "targets": {"line-7": row}}))
    assert read_targets(path)["line-7"] == Target(**row)
    for spoilt in (
        {**row, "python": "2.7"},
        {**row, "machine": "riscv64"},
        {**row, "glibc": "new"},
        {**row, "pins": ["not a requirement!"]},
        {**row, "pin": []},
    ):
        path.write_text(json.dumps({"format_version": 1, "targets": {"line-7": spoilt}}))
        with pytest.raises(BundleError, match=r"targets\.line-7"):
            read_targets(path)
    path.write_text("{")
    with pytest.raises(BundleError, match=r"more\.json is no table"):
        read_targets(path)


def test_the_bill_names_every_package_with_its_digest(first: Path) -> None:
    bill = json.loads((first / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    found = {each["name"]: each for each in bill["components"]}
    assert set(found) >= {"pip", "sakedge", "student/student.onnx", "config/line.json"}
    lock = read_lock(first / "requirements.txt", TARGET)
    assert found["pip"]["hashes"] == [{"alg": "SHA-256", "content": lock["pip"].sha256}]
    assert found["pip"]["purl"] == f"pkg:pypi/pip@{lock['pip'].version}"
    assert found["sakedge"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]


def test_licences_of_everything_are_there_as_texts_and_in_a_table(first: Path) -> None:
    table = (first / "licences" / "README.md").read_text()
    for name in ("| pip |", "| sakedge | 1.0 | Apache-2.0 |", "| student/student.onnx |"):
        assert name in table
    assert next((first / "licences").glob("pip-*/**/LICENSE.txt")).stat().st_size > 500


def test_the_installer_needs_nothing_but_the_standard_library() -> None:
    modules = needed_modules()
    for module in modules:
        path = Path(__file__).parents[2].joinpath("python", *module.split(".")).with_suffix(".py")
        for name in imports(path):
            is_ours = name == "sakedge" or name.startswith("sakedge.")
            assert is_ours or name.split(".")[0] in STANDARD, (module, name)
    assert make_installer() == make_installer()


@pytest.mark.parametrize("name", ["a\nb.json", "a\x1b[2J.json", "nul.json"])
def test_a_name_that_cannot_be_carried_is_refused_before_any_work(
    name: str, tiny_student: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(OptionError, match="no name that can be carried"):
        gather(tiny_student, config=[tmp_path / name])
    with pytest.raises(OptionError, match="two files"):
        (tmp_path / "a.json").write_text("{}")
        gather(tiny_student, config=[tmp_path / "a.json", tmp_path / "a.json"])
    with pytest.raises(SakedgeError):
        gather(tmp_path / "a.json")
