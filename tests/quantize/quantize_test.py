"""`quantize` as a whole, on a small student: the file, its record, and what is refused."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tests.quantize.conftest import noise
from tests.support.command_line import Run, assert_refused

import sakedge
from sakedge.errors import (
    BackendError,
    OptionError,
    SakedgeError,
    StorageError,
    UnknownBackendError,
    UnknownTaskError,
)
from sakedge.format import StudentFile
from sakedge.peers.stock import open_stock
from sakedge.quantizing import Quantization
from sakedge.quantizing.student import Int8Student

LAX = 0.9
"""Random weights have no quality to lose: how the gate decides is tested elsewhere."""


@pytest.fixture(scope="module")
def made(
    tiny_student: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Quantization:
    """`tiny_student` quantised by one folder of images."""
    target = tmp_path_factory.mktemp("int8") / "student.int8.onnx"
    return sakedge.quantize(tiny_student, folder, target, max_drop=LAX, threads=1)


def test_the_file_is_int8_and_keeps_its_lineage(made: Quantization, tiny_student: Path) -> None:
    with StudentFile.open(made.path) as file, StudentFile.open(tiny_student) as source:
        assert file.manifest == made.manifest
        assert file.manifest.storage.has_int8
        assert file.manifest.storage.floats == ()
        assert file.manifest.stem_lineage == source.manifest.stem_lineage
        assert file.manifest.provenance.tool == f"sakedge {sakedge.__version__}"
        for name in file.manifest.components:
            assert any(tensor.dtype == np.int8 for tensor in file.component(name).values())
    onnx.checker.check_model(made.path, full_check=True)
    assert made.path.stat().st_size < 0.5 * tiny_student.stat().st_size  # of a larger one a quarter


def test_the_record_holds_for_this_student_in_every_runtime(made: Quantization) -> None:
    with StudentFile.open(made.path) as file:
        manifest, content = file.manifest, file.content_digest
    runtimes = [entry.runtime.split()[0] for entry in manifest.quality]
    assert runtimes == ["openvino", "onnxruntime"]
    for entry in manifest.quality:
        assert entry.content == content
        assert entry.adapters == {
            name: manifest.digests[f"adapters.{name}"] for name in manifest.adapter_names
        }
        assert (entry.precision, entry.tool) == ("int8", manifest.provenance.tool)
        assert entry.passes(manifest.task_names)
        for found in entry.tasks.values():
            assert found.n == 16
            assert found.dataset == "calibration images, held out, agreement with fp32"
            assert found.dataset_digest is not None
            assert found.drop is not None and found.drop_interval is not None
            assert 0 < found.drop_interval[0] <= found.drop <= found.drop_interval[1] < 0.2
    with sakedge.load(made.path, precision="int8") as student:
        assert student(noise(1)[0]).quality == "verified"


def test_stock_runtimes_compute_what_we_do(made: Quantization, tiny_student: Path) -> None:
    x = np.random.default_rng(0).normal(0, 1, (1, 3, 64, 96)).astype(np.float32)
    stock = open_stock("onnxruntime", made.path, 1).run(x)
    exact = open_stock("onnxruntime", tiny_student, 1).run(x)
    with sakedge.load(made.path, precision="int8", backend="onnxruntime") as student:
        ours = student.infer(x, logits=True).images[0]
    for task, logits in stock.items():
        found = ours[task].logits
        assert found is not None
        unit = np.sqrt(np.mean((exact[task] - exact[task].mean()) ** 2))
        for near in (logits[0], found):
            assert 0 < np.sqrt(np.mean((near - exact[task][0]) ** 2)) < 0.15 * unit


def test_the_same_images_make_the_same_student(
    made: Quantization, tiny_student: Path, folder: Path, tmp_path: Path
) -> None:
    files = sorted(str(path) for path in folder.iterdir())[::-1]
    target = tmp_path / "again.onnx"
    again = sakedge.quantize(
        tiny_student, files, target, max_drop=LAX, search=False, backends="onnxruntime", threads=1
    )
    assert again.manifest.digests == made.manifest.digests
    assert again.kept.ms is None


def test_a_student_that_fails_leaves_the_old_file_and_says_why(
    tiny_student: Path, folder: Path, tmp_path: Path, run: Run
) -> None:
    old = tmp_path / "student.int8.onnx"
    old.write_bytes(b"the old one")
    result = run(
        *("quantize", tiny_student, "--calibration", folder, "-o", old, "--threads", 1),
        *("--no-search", "--backend", "onnxruntime", "--max-drop", "90%"),
        *("--max-drop", "defects=0.001%"),
    )
    assert result.exit_code == 1
    assert "loses too much in int8; nothing was written" in result.stderr
    assert "defects in onnxruntime" in result.stderr
    assert "label agreement differs from fp32 by" in result.stderr
    assert "edge in" not in result.stderr
    assert "held out, agreement with fp32, 16 images" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["student.int8.onnx"]
    assert old.read_bytes() == b"the old one"


def test_the_command_line_says_what_it_did_and_inspect_shows_the_record(
    tiny_student: Path, folder: Path, tmp_path: Path, run: Run
) -> None:
    target = tmp_path / "student.int8.onnx"
    given = ("quantize", tiny_student, "--calibration", folder, "-o", target, "--max-drop", "0.9")
    result = run(*given, "--no-search", "--backend", "onnxruntime", "--threads", 1, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["images"] == {"calibration": 16, "search": 16, "judge": 16}
    (verdicts,) = told["verdicts"].values()
    assert all(verdict["passed"] for verdict in verdicts.values())
    shown = run("inspect", target).stdout
    for part in ("as recorded", "int8 in onnxruntime", "90.00%", "agreement with fp32", "SHA-256"):
        assert part in shown


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"ranges": "mean"}, OptionError, "minmax, percentile, entropy"),
        ({"smooth": "yes"}, OptionError, "smooth is neither"),
        ({"max_drop": 0}, OptionError, "max_drop is out of range"),
        ({"task_drops": {"edge": 2}}, OptionError, "the drop of edge"),
        ({"task_drops": {"depth": 0.1}}, UnknownTaskError, "depth"),
        ({"task_drops": 0.1}, OptionError, "task_drops is not a mapping"),
        ({"backends": "tensorrt"}, UnknownBackendError, "onnxruntime"),
        ({"kind": "coco", "evaluation": "data"}, OptionError, "kind of data set"),
        ({"evaluation": "absent"}, SakedgeError, "absent is no data set"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(
    tiny_student: Path,
    folder: Path,
    tmp_path: Path,
    options: dict[str, Any],
    error: type[SakedgeError],
    said: str,
) -> None:
    def fail(step: str, share: float) -> None:
        raise AssertionError(step)

    with pytest.raises(error, match=said):
        sakedge.quantize(tiny_student, folder, tmp_path / "x.onnx", progress=fail, **options)


def test_a_student_that_is_int8_already_is_refused(
    made: Quantization, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=r"is int8 already; .*Quantise the student that it was"):
        sakedge.quantize(made.path, folder, tmp_path / "x.onnx")


def test_the_student_itself_is_not_overwritten(tiny_student: Path, folder: Path, run: Run) -> None:
    before = tiny_student.read_bytes()
    with pytest.raises(OptionError, match="would overwrite the input"):
        sakedge.quantize(tiny_student, folder, tiny_student)
    result = run("quantize", tiny_student, "--calibration", folder, "-o", tiny_student)
    assert_refused(result, 64, "would overwrite the input")
    assert tiny_student.read_bytes() == before


@pytest.mark.parametrize("drop", ["much", "edge=", "edge=1%x"])
def test_a_drop_that_is_no_share_is_refused(
    tiny_student: Path, folder: Path, tmp_path: Path, run: Run, drop: str
) -> None:
    target = tmp_path / "x.onnx"
    given = ("quantize", tiny_student, "--calibration", folder, "-o", target)
    assert_refused(run(*given, f"--max-drop={drop}"), 64, "e.g. 1%, 0.01 or edge=0.5%")


@pytest.mark.parametrize("when", ["calibrating", "only heads", "int8 in", "writing"])
def test_an_interrupt_leaves_the_old_file_and_nothing_else(
    tiny_student: Path,
    folder: Path,
    tmp_path: Path,
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary, target = tmp_path / "temporary", tmp_path / "student.int8.onnx"
    temporary.mkdir()
    target.write_bytes(b"the old one")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    strict = 1e-9 if when == "only heads" else LAX

    def interrupt(step: str, share: float) -> None:
        if step.startswith(when):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sakedge.quantize(
            *(tiny_student, folder, target),
            max_drop=strict,
            search=when == "only heads",
            backends="onnxruntime",
            threads=1,
            progress=interrupt,
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == [target.name, "temporary"]
    assert list(temporary.iterdir()) == []
    assert target.read_bytes() == b"the old one"


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Files cannot grow beyond so many bytes while the block runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file(
    tiny_student: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "student.int8.onnx"
    target.write_bytes(b"the old one")
    with full_disk(50_000), pytest.raises(StorageError, match="File too large"):
        sakedge.quantize(
            *(tiny_student, folder, target),
            max_drop=LAX,
            search=False,
            backends="onnxruntime",
            threads=1,
        )
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == b"the old one"


def test_parts_in_floats_are_stored_as_they_were(
    made: Quantization, tiny_student: Path, tmp_path: Path
) -> None:
    floats = ("stem.blocks.1.mlp.fc2", "heads.edge", "adapters.sam")
    with StudentFile.open(tiny_student) as file:
        int8 = Int8Student(file, made.fitted, "test")
        int8.write(tmp_path / "mixed.onnx", floats)
        assert {*floats} < {*int8.parts}
        assert 0 < int8.weights(floats) < int8.weights(int8.parts)
        with StudentFile.open(tmp_path / "mixed.onnx") as mixed:
            assert mixed.manifest.storage.floats == ("stem.blocks.1.mlp.fc2", *floats[:0:-1])
            for name in ("heads.edge", "adapters.sam"):
                assert mixed.manifest.digests[name] == file.manifest.digests[name]
            stem, exact = mixed.component("stem"), file.component("stem")
    fc2 = "stem.blocks.1.mlp.fc2.weight"
    assert np.array_equal(stem[fc2], exact[fc2])
    assert f"{fc2}.scale" not in stem
    assert stem["stem.blocks.2.mlp.fc2.weight"].dtype == np.int8


def test_no_runtime_that_can_run_is_an_error(
    tiny_student: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sakedge.backends.registry.BACKENDS", {})
    with pytest.raises(BackendError, match="no backend can run here"):
        sakedge.quantize(tiny_student, folder, tmp_path / "x.onnx")
