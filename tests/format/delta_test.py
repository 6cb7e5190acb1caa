"""Deltas: the new file comes back byte for byte, from little, and only from the right old one."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file

from sakedge.errors import BackendError, DeltaError, OptionError, StorageError, WrongBaseError
from sakedge.format import StudentFile, extract_part, write_pack, write_student
from sakedge.format.delta import diff, patch, patch_file, planes, read_info
from sakedge.format.delta.header import MAX_STEP, Copy, Fresh, Header, parse_delta
from sakedge.format.student.int8 import MOST, quantised
from sakedge.format.student.parts import Stored

Tensors = dict[str, NDArray[Any]]


def _header(delta: Path) -> Header:
    return parse_delta(memoryview(delta.read_bytes()), delta.name)[0]


def _round_trip(old: Path, new: Path, folder: Path) -> float:
    """Makes a delta and applies it, both ways; returns its share of the new file."""
    delta, out = folder / "update.sakdelta", folder / "out"
    info = diff(old, new, delta)
    assert info == read_info(delta.read_bytes(), delta.name)
    assert info == patch_file(old, delta, out)
    assert out.read_bytes() == new.read_bytes()
    assert patch(old.read_bytes(), memoryview(delta.read_bytes())) == new.read_bytes()
    assert info.bytes == delta.stat().st_size and info.name == new.name
    return info.share


def _adapter(width: int = 192, blocks: int = 10) -> Tensors:
    """Weights of an adapter path as they come out of a training's beginning."""
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(blocks):
        shapes |= {f"{i}.down.weight": (width, width // 4), f"{i}.down.bias": (width // 4,)}
        shapes |= {f"{i}.up.weight": (width // 4, width), f"{i}.up.bias": (width,)}
    return {
        name: (rng.standard_normal(shape) / shape[0] ** 0.5).astype(np.float32)
        for name, shape in shapes.items()
    }


def _tuned(tensors: Tensors) -> Tensors:
    """Each weight moved by a thousandth of the tensor's spread, as a fine-tuning does."""
    rng = np.random.default_rng(1)
    return {
        name: (t + 1e-3 * t.std() * rng.standard_normal(t.shape)).astype(t.dtype)
        for name, t in tensors.items()
    }


def _int8(tensors: Tensors) -> Tensors:
    stored: Tensors = {}
    for name, tensor in tensors.items():
        stored |= quantised(name, tensor, MOST) if tensor.ndim > 1 else {name: tensor}
    return stored


def _pair(folder: Path, old: Tensors, new: Tensors) -> tuple[Path, Path]:
    save_file(old, folder / "old.safetensors", {"version": "1"})
    save_file(new, folder / "new.safetensors", {"version": "1.0.1"})
    return folder / "old.safetensors", folder / "new.safetensors"


def test_a_tenth_of_the_tensors_changed_costs_a_tenth(tmp_path: Path) -> None:
    old = _adapter()
    tenth = sorted(old)[:4]  # of 40: the matrices and biases of one block
    replaced = {name: np.flip(old[name]).copy() for name in tenth}
    assert _round_trip(*_pair(tmp_path, old, {**old, **replaced}), tmp_path) < 0.12
    tuned = {name: _tuned(old)[name] for name in tenth}
    assert _round_trip(*_pair(tmp_path, old, {**old, **tuned}), tmp_path) < 0.07


def test_a_fine_tuned_int8_pack_costs_a_twentieth(tmp_path: Path) -> None:
    old = _adapter(768, 2)  # a ViT-B's; of smaller ones the scales are a larger share
    assert _round_trip(*_pair(tmp_path, _int8(old), _int8(_tuned(old))), tmp_path) < 0.06


def test_a_fine_tuned_float_pack_costs_little_more_than_half(tmp_path: Path) -> None:
    old = _adapter()
    assert _round_trip(*_pair(tmp_path, old, _tuned(old)), tmp_path) < 0.6


def test_what_is_unchanged_is_copied(tmp_path: Path) -> None:
    old = _adapter()
    paths = _pair(tmp_path, old, old)
    _round_trip(*paths, tmp_path)
    steps = _header(tmp_path / "update.sakdelta").steps
    values = sum(tensor.nbytes for tensor in old.values())
    assert max(step.length for step in steps if isinstance(step, Copy)) >= values
    shutil.copy(paths[0], paths[1])
    _round_trip(*paths, tmp_path)
    assert len(_header(tmp_path / "update.sakdelta").steps) == 1


def test_tensors_that_came_went_and_changed_their_shape(tmp_path: Path) -> None:
    old = _adapter()
    new = dict(_tuned(old))
    new["0.up.weight"] = new["0.up.weight"][:, :50].copy()
    new["a.first.one"] = np.arange(1000, dtype=np.float32)
    new["1.up.bias"] = new["1.up.bias"].astype(np.float16)
    new["scalar"] = np.array(3, np.float32)
    new["empty"] = np.zeros((0, 3), np.float32)
    del new["2.up.bias"]
    _round_trip(*_pair(tmp_path, old, new), tmp_path)
    _round_trip(*_pair(tmp_path, new, old), tmp_path)


@pytest.mark.parametrize("old", get_args(Stored))
@pytest.mark.parametrize("new", get_args(Stored))
def test_packs_of_any_storage(tiny_student: Path, tmp_path: Path, old: Any, new: Any) -> None:
    with StudentFile.open(tiny_student) as file:
        for name, storage in (("old", old), ("new", new)):
            part = extract_part(file, "adapters.sam", version=name, storage=storage)
            write_pack(tmp_path / f"{name}.safetensors", part.manifest, part.tensors)
    _round_trip(tmp_path / "old.safetensors", tmp_path / "new.safetensors", tmp_path)


def _retrained(student: Path, folder: Path, *, external: bool) -> list[Path]:
    """The student with another adapter sam, and its weights inside or outside; all its files."""
    with StudentFile.open(student) as file:
        components = {name: dict(file.component(name)) for name in file.manifest.components}
        kept = components["adapters.sam"]
        components["adapters.sam"] = _tuned(kept) if folder.name == "new" else kept
        folder.mkdir()
        write_student(folder / "student.onnx", file.manifest, components, external=external)
    return sorted(folder.iterdir())


def test_a_student_of_which_an_adapter_was_trained(tiny_student: Path, tmp_path: Path) -> None:
    (old,) = _retrained(tiny_student, tmp_path / "old", external=False)
    (new,) = _retrained(tiny_student, tmp_path / "new", external=False)
    with StudentFile.open(new) as file:
        adapter = sum(tensor.nbytes for tensor in file.component("adapters.sam").values())
    share = _round_trip(old, new, tmp_path)
    assert share * new.stat().st_size < 0.75 * adapter


def test_a_student_whose_weights_lie_in_a_file_of_their_own(
    tiny_student: Path, tmp_path: Path
) -> None:
    old = _retrained(tiny_student, tmp_path / "old", external=True)
    new = _retrained(tiny_student, tmp_path / "new", external=True)
    whole = sum(path.stat().st_size for path in new)
    sizes = []
    (tmp_path / "got").mkdir()
    for before, after in zip(old, new, strict=True):
        sizes.append(_round_trip(before, after, tmp_path) * after.stat().st_size)
        (tmp_path / "out").rename(tmp_path / "got" / after.name)
    assert sum(sizes) < 0.2 * whole
    with StudentFile.open(tmp_path / "got" / "student.onnx") as file:
        for component in file.manifest.components:
            file.component(component)


def test_what_lies_in_no_tensor_is_found_in_the_old_file(tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    words = np.random.default_rng(0).integers(0, 256, 30_000, np.uint8).tobytes()
    old.write_bytes(words)
    new.write_bytes(words[:9000] + b"some new words" + words[9000:])
    assert _round_trip(old, new, tmp_path) < 0.05


FEW = settings(max_examples=60, deadline=None, derandomize=True)


@FEW
@given(st.binary(min_size=1, max_size=500), st.binary(min_size=1, max_size=500), st.booleans())
def test_any_two_files_have_a_delta(
    tmp_path_factory: pytest.TempPathFactory, old: bytes, new: bytes, related: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(old[: len(old) // 2] + new if related else new)
    _round_trip(folder / "old", folder / "new", folder)


@st.composite
def _tensors(draw: st.DrawFn) -> Tensors:
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    found: Tensors = {}
    for name in names:
        dtype = draw(st.sampled_from(["float32", "float16", "int8"]))
        shape = draw(st.sampled_from([(), (0,), (3,), (4, 5), (64, 9)]))
        seed = draw(st.integers(0, 3))
        values = np.random.default_rng(seed).standard_normal(shape) * 40
        found[name] = np.asarray(values, np.float32).astype(dtype)
    return found


@FEW
@given(_tensors(), _tensors())
def test_any_two_sets_of_tensors_have_a_delta(
    tmp_path_factory: pytest.TempPathFactory, old: Tensors, new: Tensors
) -> None:
    folder = tmp_path_factory.mktemp("tensors")
    _round_trip(*_pair(folder, old, new), folder)


@FEW
@given(st.data(), st.sampled_from([1, 2, 4]))
def test_planes_and_differences_come_back(data: st.DataObject, width: Any) -> None:
    words = st.binary(min_size=4, max_size=64).map(lambda b: b[: len(b) // 4 * 4])
    old, new = data.draw(words), data.draw(words)
    old, new = (each[: min(len(old), len(new))] for each in (old, new))
    assert planes.join(planes.split(new, width), width) == new
    assert planes.add(old, planes.differences(old, new, width), width) == new


def test_small_differences_make_high_planes_of_zeros() -> None:
    old = np.array([5, 0, 2**32 - 1, 1000], np.uint32)
    new = np.array([4, 2**32 - 1, 0, 1127], np.uint32)
    found = bytes(planes.differences(old.tobytes(), new.tobytes(), 4))
    assert found == bytes(12) + bytes([1, 1, 2, 254])


def test_another_base_is_refused(tmp_path: Path) -> None:
    old = _adapter()
    before, after = _pair(tmp_path, old, _tuned(old))
    diff(before, after, tmp_path / "update.sakdelta")
    other = bytearray(before.read_bytes())
    other[-1] ^= 1
    (tmp_path / "other").write_bytes(other)
    (tmp_path / "empty").touch()
    for base in ("other", "empty", "new.safetensors", "update.sakdelta"):
        with pytest.raises(WrongBaseError, match="made for another file"):
            patch((tmp_path / base).read_bytes(), (tmp_path / "update.sakdelta").read_bytes())
    with pytest.raises(WrongBaseError, match=r"update\.sakdelta was made for another"):
        patch_file(tmp_path / "other", tmp_path / "update.sakdelta", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_delta_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    old = _adapter()
    before, after = _pair(tmp_path, old, _tuned(old))
    delta = tmp_path / "update.sakdelta"
    diff(before, after, delta)
    delta.write_bytes(delta.read_bytes()[:-9] + bytes(9))
    (tmp_path / "out").write_bytes(b"in use")
    there = sorted(tmp_path.iterdir())
    with pytest.raises(DeltaError):
        patch_file(before, delta, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"in use"
    assert sorted(tmp_path.iterdir()) == there


def test_files_that_no_delta_is_made_of_are_refused(tmp_path: Path) -> None:
    small, large, empty = (tmp_path / name for name in ("small", "large", "empty"))
    small.write_bytes(b"x")
    empty.touch()
    with large.open("wb") as file:
        file.truncate((1 << 26) + 5)  # which takes no space
    out = tmp_path / "out"
    for old, new in ((empty, small), (small, empty)):
        with pytest.raises(OptionError, match="is empty"):
            diff(old, new, out)
    with pytest.raises(OptionError, match="too large for a delta from small; expected at most"):
        diff(small, large, out)
    with pytest.raises(OptionError, match="overwrite the input"):
        diff(small, large, small)
    with pytest.raises(StorageError, match="No such file"):
        diff(small, tmp_path / "missing", out)
    with pytest.raises(OptionError, match="given by its path"):
        diff(None, small, out)  # type: ignore[arg-type]
    named = tmp_path / "a:b"
    named.write_bytes(b"xy")
    with pytest.raises(OptionError, match="name this file"):
        diff(small, named, out)
    assert not out.exists()


def test_without_zstandard_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "zstandard", None)
    old = _adapter()
    with pytest.raises(BackendError, match=r"pip install 'sakedge\[delta\]'"):
        diff(*_pair(tmp_path, old, _tuned(old)), tmp_path / "out")


def test_patching_takes_little_memory_however_large_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    old = {f"{i}": rng.standard_normal((1 << 20, 3), np.float32) for i in range(4)}
    new = {name: tensor + np.float32(1e-6) for name, tensor in old.items()}
    new["fresh"] = old.pop("0")
    before, after = _pair(tmp_path, old, new)
    diff(before, after, tmp_path / "update.sakdelta")
    assert any(isinstance(step, Fresh) for step in _header(tmp_path / "update.sakdelta").steps)
    tracemalloc.start()
    patch_file(before, tmp_path / "update.sakdelta", tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "out").read_bytes() == after.read_bytes()
    assert peak < 6 * MAX_STEP < after.stat().st_size / 2
