"""The command line as a user sees it: results, messages in one line, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.command_line import Run, assert_refused
from tests.support.files import without_rights

from sakedge.cli.verbs import VERBS
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.format.student.parts import GROUPS


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of two images; of the same name except for the suffix."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("part.png", "part.jpg"):
        Image.fromarray(rng.integers(0, 256, (64, 96, 3), np.uint8)).save(folder / name)
    return folder


def test_the_version_is_printed(run: Run) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("sakedge ")


def test_no_verb_is_usage_with_help(run: Run) -> None:
    result = run()
    assert result.exit_code == 64
    assert all(verb in result.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run: Run, verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert "--help" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("paint",), "paint"),
        (("predict",), "STUDENT"),
        (("doctor", "--no-such-option"), "--no-such-option"),
        (("verify", "x.onnx", "--tolerance", "small"), "--tolerance"),
        (("convert", "a.pth", "b.yml", "--dtype", "fp7"), "fp7"),
        (("convert", "a.pth", "b.yml", "--size", "big"), "HEIGHTxWIDTH"),
    ],
)
def test_wrong_usage_is_64(run: Run, arguments: tuple[str, ...], part: str) -> None:
    assert_refused(run(*arguments), 64, part)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--adapters", "nobody"), "one of dino, sam"),
        (("--tasks", "nothing"), "one of defects, edge, sal, normals, height"),
        (("--backend", "tensorrt"), "openvino, onnxruntime"),
        (("--precision", "fp7"), "fp32"),
        (("--threads", "0"), "1 to 1024"),
        (("--fit", "stretch"), "pad, letterbox, tile"),
        (("--batch", "0"), "batch"),
    ],
)
def test_unknown_names_and_values_list_what_there_is(
    run: Run, tiny_student: Path, images: Path, options: tuple[str, str], part: str
) -> None:
    assert_refused(run("predict", tiny_student, images, *options), 64, part)


def test_what_cannot_be_read_is_a_failure(run: Run, tiny_student: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(b"no student")
    assert_refused(run("predict", tmp_path / "gone.onnx", "x.png"), 1, "gone.onnx")
    assert_refused(run("inspect", foreign), 1, "foreign.onnx")
    assert_refused(run("predict", tiny_student, tmp_path / "gone"), 1, "no such source")
    assert_refused(run("convert", foreign, tmp_path / "gone.yml"), 1, "gone.yml")


def test_a_backend_that_cannot_run_is_a_failure(run: Run, tiny_student: Path) -> None:
    result = run("predict", tiny_student, "x.png", "--backend", "onnxruntime", "--device", "NPU")
    assert_refused(result, 1, "has no device NPU, only CPU")


class TestPredict:
    def test_overlays_are_written_and_named(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        result = run("predict", tiny_student, images / "part.png", "-o", out)
        assert result.exit_code == 0, result.stderr
        assert str(out / "part.png") in result.stdout
        tasks = ("defects", "edge", "sal", "normals", "height")
        names = {"part.png", *(f"part_{task}.png" for task in tasks)}
        assert {path.name for path in out.iterdir()} == names

    def test_images_of_one_name_do_not_overwrite_each_other(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        (images / "part-2.bmp").write_bytes((images / "part.png").read_bytes())
        result = run("predict", tiny_student, images, "-o", out, "--tasks", "edge")
        assert "3 images; results in" in result.stdout
        stems = ("part", "part-2", "part-3")
        names = {f"{stem}{task}.png" for stem in stems for task in ("", "_edge")}
        assert {path.name for path in out.iterdir()} == names

    def test_a_bad_frame_is_reported_and_passed_over(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path
    ) -> None:
        (images / "a_bad_one.png").write_bytes(b"not a picture")
        result = run("predict", tiny_student, images, "-o", tmp_path / "out")
        assert result.exit_code == 2
        assert "a_bad_one.png is not an image" in result.stderr
        assert "2 images, 1 could not be used" in result.stdout

    def test_bad_frames_alone_are_a_failure(
        self, run: Run, tiny_student: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "bad.png").touch()
        assert run("predict", tiny_student, tmp_path / "bad.png").exit_code == 1

    def test_a_glob_and_a_limit(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path
    ) -> None:
        result = run("predict", tiny_student, images / "*.*", "-o", tmp_path, "--limit", 1)
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1].startswith("1 image;")

    def test_json_is_one_line_per_image_and_nothing_else(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        result = run("predict", tiny_student, images, "-o", out, "--no-save", "--json")
        assert result.exit_code == 0
        found = [json.loads(line) for line in result.stdout.splitlines()]
        assert [Path(each["source"]).name for each in found] == ["part.jpg", "part.png"]
        assert not out.exists()

    def test_files_for_scripts_lie_beside_the_overlays(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path
    ) -> None:
        options = ("--save-json", "--save-arrays", "--tasks", "height", "--adapters", "none")
        run("predict", tiny_student, images / "part.png", "-o", tmp_path, *options)
        numbers = json.loads((tmp_path / "part.json").read_text())
        assert numbers["adapters"] == []
        assert set(numbers["tasks"]) == {"height"}
        assert np.load(tmp_path / "part.npz")["height"].shape == (64, 96)

    def test_a_video_is_run_frame_by_frame(
        self, run: Run, tiny_student: Path, tmp_path: Path
    ) -> None:
        cv2 = pytest.importorskip("cv2")
        video = tmp_path / "line.avi"
        writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 64))
        for shade in (40, 120, 200):
            writer.write(np.full((64, 96, 3), shade, np.uint8))
        writer.release()
        result = run("predict", tiny_student, video, "-o", tmp_path / "out", "--batch", 2)
        assert result.exit_code == 0, result.stderr
        assert "3 images" in result.stdout

    @pytest.mark.parametrize("options", [(), ("--no-save", "--save-json")])
    def test_a_folder_without_rights_is_a_failure(
        self, run: Run, tiny_student: Path, images: Path, tmp_path: Path, options: tuple[str, ...]
    ) -> None:
        locked = tmp_path / "locked"
        locked.mkdir()
        with without_rights(locked):
            result = run("predict", tiny_student, images, "-o", locked / "out", *options)
        assert result.exit_code == 1
        assert "Permission denied" in result.stderr


class TestInspect:
    def test_tables_show_what_is_in_a_student(self, run: Run, tiny_student: Path) -> None:
        result = run("inspect", tiny_student, "--check")
        assert result.exit_code == 0
        for part in ("64 x 96", "dino_base", "two_class", "scratch", "heads.edge", "all intact"):
            assert part in result.stdout

    def test_json_counts_parameters_by_component(self, run: Run, tiny_student: Path) -> None:
        found = json.loads(run("inspect", tiny_student, "--json").stdout)
        assert found["manifest"]["input_size"] == [64, 96]
        assert set(found["parameters"]) == set(found["manifest"]["digests"])
        # Five adapters of 48 -> 12 -> 48 with biases, and a LayerNorm of 48 at each of four levels.
        assert found["parameters"]["adapters.sam"] == 5 * (2 * 48 * 12 + 12 + 48) + 4 * 96

    def test_check_finds_a_changed_weight(
        self, run: Run, tiny_student: Path, tmp_path: Path
    ) -> None:
        data = bytearray(tiny_student.read_bytes())
        data[-200] ^= 1
        changed = tmp_path / "changed.onnx"
        changed.write_bytes(data)
        assert run("inspect", changed).exit_code == 0
        assert_refused(run("inspect", changed, "--check"), 1, "SHA-256")

    def test_an_adapter_pack_is_shown_too(
        self, run: Run, tiny_student: Path, tmp_path: Path
    ) -> None:
        pack = tmp_path / "sam.safetensors"
        with StudentFile.open(tiny_student) as student:
            made = extract_part(student, "adapters.sam")
        write_pack(pack, made.manifest, made.tensors)
        assert "sam_base" in run("inspect", pack).stdout
        found = json.loads(run("inspect", pack, "--json").stdout)
        assert found["manifest"]["name"] == "sam"
        pack.write_bytes(pack.read_bytes()[:-1])
        assert_refused(run("inspect", pack), 1, "sam.safetensors")


class TestConvert:
    def test_a_checkpoint_becomes_a_student(
        self, run: Run, tiny_checkpoint: tuple[Path, Path], tmp_path: Path
    ) -> None:
        path = tmp_path / "half.onnx"
        result = run("convert", *tiny_checkpoint, "-o", path, "--dtype", "fp16", "--fit", "tile")
        assert result.exit_code == 0, result.stderr
        for part in ("stem", "total", "defects (labels, 4)", "dino, sam", str(path)):
            assert part in result.stdout
        manifest = json.loads(run("inspect", path, "--json").stdout)["manifest"]
        assert {manifest["storage"][group] for group in GROUPS} == {"fp16"}
        assert manifest["preprocess"]["fit"] == "tile"

    def test_json_reports_what_was_found(
        self, run: Run, tiny_checkpoint: tuple[Path, Path], tmp_path: Path
    ) -> None:
        options = ("-o", tmp_path / "s.onnx", "--size", "32x64", "--json")
        found = json.loads(run("convert", *tiny_checkpoint, *options).stdout)
        assert found["manifest"]["input_size"] == [32, 64]
        parts = dict(found["parameters"])
        assert parts.pop("total") == sum(parts.values())


class TestVerify:
    def test_every_backend_agrees_on_every_task(self, run: Run, tiny_student: Path) -> None:
        result = run("verify", tiny_student, "--json")
        assert result.exit_code == 0
        found = json.loads(result.stdout)
        backends = {each["backend"] for each in found["comparisons"]}
        assert backends == {"openvino", "onnxruntime"}
        assert len(found["comparisons"]) == 2 * 5
        assert all(each["range"] > 0 for each in found["comparisons"])

    def test_beyond_the_tolerance_is_a_failure(
        self, run: Run, tiny_student: Path, images: Path
    ) -> None:
        options = ("--backend", "openvino", "--tolerance", 0)
        result = run("verify", tiny_student, images / "part.png", *options)
        assert result.exit_code == 1
        assert "DIFFERS" in result.stdout


class TestBenchmark:
    @pytest.mark.parametrize(
        "option", ["--batch", "--iterations", "--duration", "--rounds", "--soak"]
    )
    def test_numbers_out_of_range_are_usage(
        self, run: Run, tiny_student: Path, option: str
    ) -> None:
        assert_refused(run("benchmark", tiny_student, option, "0"), 64, "out of range")
