"""Graphs compiled ahead: found again, by the same class of machines only, and vouched for."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.support.command_line import Run
from tests.support.sites import Place

import sakedge
from sakedge.backends import cache
from sakedge.compiling import carrying
from sakedge.compiling.machine_class import REASONS, MachineClass, read_class
from sakedge.errors import AbilityError, ChoiceError, FileFormatError
from sakedge.trust.envelope import sign_file

ON_OPENVINO = ("--backend", "openvino", "--threads", "1")
KEY = "0" * 32


@pytest.fixture
def here() -> MachineClass:
    return MachineClass.here(None, 1)


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, tiny_student: Path) -> Path:
    """What `sakedge compile -o` writes for the tiny student."""
    path = tmp_path_factory.mktemp("carried") / "student.sakcache"
    command = ["compile", str(tiny_student), *ON_OPENVINO, "-o", str(path)]
    subprocess.run([sys.executable, "-m", "sakedge", *command], check=True, capture_output=True)
    return path


def test_a_start_after_compile_compiles_nothing(
    run: Run, tiny_student: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    ran = run("compile", tiny_student, *ON_OPENVINO, "--cache-dir", folder, "--json")
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert (told["filling"]["cache"], told["check"]["cache"]) == ("stored", "hit")
    assert told["class"]["threads"] == 1
    with sakedge.load(tiny_student, backend="openvino", threads=1, cache_dir=folder) as student:
        assert student.explain().session["cache"] == "hit"


def test_what_a_cache_cannot_save_is_said_and_is_no_success(run: Run, tiny_student: Path) -> None:
    ran = run("compile", tiny_student, "--backend", "onnxruntime", "--threads", "1")
    assert ran.exit_code == 2
    assert "cache: none: compiling is as fast as reading a cache" in ran.stdout


def test_a_class_that_was_printed_is_the_one_that_is_read(
    run: Run, tmp_path: Path, here: MachineClass
) -> None:
    path = tmp_path / "box.json"
    path.write_text(run("compile", "--class", "--threads", "1").stdout)
    assert read_class(path) == here
    assert read_class(path).name == here.name


@pytest.mark.parametrize("field", REASONS)
def test_another_class_is_refused_with_the_difference_and_why(
    field: str, here: MachineClass
) -> None:
    other = {"threads": 7, "device": "GPU", "versions": {**here.versions, "openvino": "2026.3"}}
    other["runtimes"] = {**here.runtimes, "openvino": "OpenVINO 2026.3 on something"}
    wanted = here.model_copy(update={field: other.get(field, "another")})
    assert wanted.name != here.name
    with pytest.raises(AbilityError, match=wanted.name) as error:
        here.require(wanted)
    assert REASONS[field] in str(error.value)


def test_a_machine_of_another_class_compiles_nothing(
    run: Run, tiny_student: Path, tmp_path: Path, here: MachineClass
) -> None:
    path = tmp_path / "box.json"
    path.write_text(here.model_copy(update={"isa": "neon"}).model_dump_json())
    out = tmp_path / "student.sakcache"
    for wanted in (path, "aarch64-neon-00000000"):
        ran = run("compile", tiny_student, "--for", wanted, "-o", out)
        assert ran.exit_code in (1, 64)
        assert not out.exists()


def test_what_is_carried_makes_the_first_start_a_hit(
    run: Run, tiny_student: Path, carried: Path, tmp_path: Path
) -> None:
    to = ("--from", carried, "--cache-dir", tmp_path / "cache")
    unvouched = run("compile", tiny_student, *ON_OPENVINO, *to)
    assert unvouched.exit_code == 1
    assert "nobody vouches" in unvouched.stderr
    assert not (tmp_path / "cache").exists()
    ran = run("compile", tiny_student, *ON_OPENVINO, *to, "--unsigned", "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["filling"]["cache"] == "hit"


def test_a_site_takes_only_what_a_trusted_key_signed(
    run: Run, tiny_student: Path, carried: Path, tmp_path: Path
) -> None:
    place = Place(tmp_path / "site")
    place.open(require_signature="dsse", audit={})
    student, file = tmp_path / "student.onnx", tmp_path / carried.name
    student.write_bytes(tiny_student.read_bytes())
    file.write_bytes(carried.read_bytes())
    sign_file(student, place.key, predicate={})
    folder = tmp_path / "cache"
    options = ("--site", place.folder, "--cache-dir", folder, *ON_OPENVINO)
    refused = run("compile", student, "--from", file, "--unsigned", *options)
    assert refused.exit_code == 1
    assert "is not signed" in refused.stderr
    sign_file(file, place.key, predicate={})
    assert run("compile", student, "--from", file, *options).exit_code == 0
    assert "cache.fill" in [each.action for each in place.log()]
    file.write_bytes(carried.read_bytes() + b"\0")
    again = run("compile", student, "--from", file, *options)
    assert "is not the file that was signed" in again.stderr


def test_what_was_compiled_for_another_student_is_refused(carried: Path) -> None:
    found = carrying.read(carried.read_bytes(), "a")
    with pytest.raises(ChoiceError, match="another student"):
        carrying.require_student(found, "0" * 64, "a")


def test_the_same_entries_make_the_same_bytes_and_come_back(
    tmp_path: Path, here: MachineClass
) -> None:
    assert cache.store(tmp_path / "cache" / "openvino", KEY, b"blob") is None
    about = carrying.About(student="0" * 64, machine=here)
    for name in "ab":
        assert carrying.write(tmp_path / name, tmp_path / "cache", about) == 1
    content = (tmp_path / "a").read_bytes()
    assert content == (tmp_path / "b").read_bytes()
    found = carrying.read(content, "a")
    assert found.about == about
    found.store(tmp_path / "other")
    assert bytes(cache.load(tmp_path / "other" / "openvino", KEY)) == b"blob"  # type: ignore[arg-type]


def test_each_byte_of_a_carried_file_is_checked(tmp_path: Path, here: MachineClass) -> None:
    cache.store(tmp_path / "cache" / "openvino", KEY, b"blob")
    about = carrying.About(student="0" * 64, machine=here)
    carrying.write(tmp_path / "a", tmp_path / "cache", about)
    content = (tmp_path / "a").read_bytes()
    whole = carrying.read(content, "a")
    rng = np.random.default_rng(0)
    for at in rng.permutation(len(content))[:400]:
        damaged = bytearray(content)
        damaged[at] ^= 0x55
        with suppress(FileFormatError):  # what zip keeps twice or does not use may differ
            assert carrying.read(bytes(damaged), "a") == whole
    for end in range(0, len(content), 97):
        with pytest.raises(FileFormatError):
            carrying.read(content[:end], "a")


def test_the_first_call_imports_nothing(tiny_student: Path) -> None:
    code = (
        "import sys, numpy as np, sakedge\n"
        f"student = sakedge.load({str(tiny_student)!r}, backend='onnxruntime', threads=1)\n"
        "before = set(sys.modules); student(np.zeros((64, 96, 3), np.uint8))\n"
        "print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout == "[]\n", ran.stderr


def test_a_warm_up_runs_the_student_and_is_not_recorded(tiny_student: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    place.open(audit={"inferences": True})
    config = {"warm_up": True, "site": place.folder}
    with sakedge.load(tiny_student, threads=1, config=config) as student:
        assert [each.action for each in place.log()] == ["load"]
        student(np.zeros((64, 96, 3), np.uint8))
        assert [each.action for each in place.log()] == ["load", "infer"]
