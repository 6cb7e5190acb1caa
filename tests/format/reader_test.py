from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from sakedge.errors import StorageError, UnknownNameError
from sakedge.format import StudentFile, write_student


def test_components_are_read_only_views_of_the_mapped_file(tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        assert file.manifest.adapter_names == ("dino", "sam")
        tensors = file.component("adapters.sam")
        assert set(tensors) >= {"tsap.sam.0.down.weight", "norms.3.sam.bias"}
        for tensor in tensors.values():
            assert tensor.base is not None and not tensor.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                tensor[...] = 0


def test_views_outlive_the_file(tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        before = file.component("heads.edge")["heads.edge.last.bias"]
        value = before.copy()
    assert np.array_equal(before, value)
    with pytest.raises(StorageError, match="closed"):
        file.component("heads.edge")


def test_an_unknown_component_is_an_error_that_lists_what_there_is(tiny_student: Path) -> None:
    with (
        StudentFile.open(tiny_student) as file,
        pytest.raises(UnknownNameError, match=r"adapters\.dino, adapters\.sam, routers\.defects"),
    ):
        file.component("adapters.clip")


def test_the_digests_are_of_the_content_not_of_the_name(tiny_student: Path, tmp_path: Path) -> None:
    copy = shutil.copy(tiny_student, tmp_path / "other.onnx")
    with StudentFile.open(tiny_student) as one, StudentFile.open(copy) as other:
        assert one.content_digest == other.content_digest
        assert one.file_digest == other.file_digest


def test_a_file_whose_weights_are_not_aligned_is_read_all_the_same(
    tiny_student: Path, tmp_path: Path
) -> None:
    import onnx

    # protobuf's own serializer aligns nothing.
    path = tmp_path / "student.onnx"
    model = onnx.load(tiny_student)
    for tensor in model.graph.initializer:
        tensor.doc_string = ""
    path.write_bytes(model.SerializeToString())
    with StudentFile.open(tiny_student) as one, StudentFile.open(path) as other:
        assert one.content_digest == other.content_digest
        assert one.file_digest != other.file_digest
        for name in one.manifest.components:
            theirs = other.component(name)
            for key, tensor in one.component(name).items():
                assert np.array_equal(tensor, theirs[key])
                assert not theirs[key].flags.writeable


def _resident(path: Path) -> int:
    """Bytes of a file's mapping that this process holds in memory, by the kernel's account."""
    total, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith(str(path))
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_only_the_components_asked_for_are_read_and_held(tmp_path: Path) -> None:
    from tools.checkpoint import make_checkpoint

    from sakedge.convert import convert

    # Wide enough for a path to be large against the 64 KB that the kernel maps around a fault.
    checkpoint = make_checkpoint(
        tmp_path, width=192, blocks=4, attention_heads=3, teachers=("a", "b", "c")
    )
    path = tmp_path / "student.onnx"
    convert(*checkpoint, path)
    with StudentFile.open(path) as file:
        assert _resident(path) == 0, "opening holds a page"
        held = {}
        for name in ("adapters.b", "heads.edge"):
            before = _resident(path)
            tensors = file.component(name)
            held[name] = _resident(path) - before
            size = sum(tensor.nbytes for tensor in tensors.values())
            slack = 1 << 20  # what kernels map around both ends: 64 KB each, or a large folio
            assert held[name] <= size + slack, name
            assert held[name] >= 0.5 * size, "the measurement sees nothing"
        everything = sum(
            tensor.nbytes for c in file.manifest.components for tensor in file.component(c).values()
        )
        assert sum(held.values()) < everything / 3


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_a_sparing_reader_gives_back_what_was_read_and_reads_it_again(tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file, file.sparing():
        tensors = file.component("stem")
        expected = {name: tensor.copy() for name, tensor in tensors.items()}
        deadline = time.monotonic() + 10
        while _resident(tiny_student) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _resident(tiny_student) == 0
        for name, tensor in tensors.items():
            assert np.array_equal(tensor, expected[name]), name


def test_a_closed_file_is_unmapped_when_its_views_are_gone(
    tiny_student: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(tiny_student, tmp_path / "own.onnx"))  # nobody else has it mapped
    file = StudentFile.open(path)
    tensors = file.component("stem")
    file.close()
    assert str(path) in Path("/proc/self/maps").read_text()
    del tensors, file
    assert str(path) not in Path("/proc/self/maps").read_text()


def test_external_data_is_mapped_too(tiny_student: Path, tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    with StudentFile.open(tiny_student) as file:
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(path, file.manifest, components, external=True)
    with StudentFile.open(path) as file:
        tensors = file.component("adapters.sam")
        assert str(file.files[1]) in Path("/proc/self/maps").read_text()
        for name, tensor in tensors.items():
            assert np.array_equal(tensor, components["adapters.sam"][name])
