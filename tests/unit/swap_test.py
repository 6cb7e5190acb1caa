"""Adapters are exchanged while the student runs; a refused pack changes nothing."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.checkpoint import make_checkpoint

import sakedge
from sakedge.convert import convert
from sakedge.errors import (
    AdapterMismatchError,
    DigestError,
    FileFormatError,
    OptionError,
    StorageError,
    UnknownAdapterError,
)
from sakedge.format import PartPack, StudentFile, extract_part, read_pack, write_pack

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.fixture
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student


@pytest.fixture
def packs(tiny_student: Path, tmp_path: Path) -> dict[str, Path]:
    """`sam` as it is in the student; `new`, the same with its norms doubled; `alien`."""
    with StudentFile.open(tiny_student) as file:
        pack = extract_part(file, "adapters.sam")
    doubled = {k: v * 2 if k.startswith("norms.") else v for k, v in pack.tensors.items()}
    other_stem = pack.manifest.model_copy(update={"stem_lineage": "0" * 64})
    made = {
        "sam": pack,
        "new": PartPack(pack.manifest.model_copy(update={"version": "2"}), doubled),
        "alien": PartPack(other_stem, doubled),
    }
    for name, one in made.items():
        write_pack(tmp_path / f"{name}.safetensors", one.manifest, one.tensors)
    return {name: tmp_path / f"{name}.safetensors" for name in made}


def edge(student: sakedge.Student, **options: object) -> np.ndarray:
    result: np.ndarray = student(IMAGE, tasks=["edge"], **options)["edge"].values  # type: ignore[call-overload]
    return result


def test_a_swap_takes_effect_and_swapping_back_undoes_it(
    student: sakedge.Student, packs: dict[str, Path]
) -> None:
    before = edge(student)
    student.adapters.swap("sam", packs["new"])
    assert not np.allclose(edge(student), before, atol=1e-4)
    student.adapters.swap("sam", packs["sam"])
    np.testing.assert_array_equal(edge(student), before)


def test_a_pack_of_another_teacher_goes_where_its_teacher_is_named(
    student: sakedge.Student, packs: dict[str, Path]
) -> None:
    before = edge(student)
    for teacher in (None, "dino_base", "SAM", "sam", ""):
        with pytest.raises(AdapterMismatchError, match=r"another teacher.*got teacher 'sam_base'"):
            student.adapters.swap("dino", packs["sam"], teacher=teacher)
    with pytest.raises(AdapterMismatchError, match="expected teacher 'dino_base'"):
        student.adapters.swap("sam", packs["sam"], teacher="dino_base")
    with pytest.raises(OptionError, match="by name"):
        student.adapters.swap("dino", packs["sam"], teacher=True)  # type: ignore[arg-type]
    np.testing.assert_array_equal(edge(student), before)

    student.adapters.swap("dino", packs["sam"], teacher="sam_base")
    told = student.explain()
    assert told.digests["adapters.dino"] == told.digests["adapters.sam"]
    assert told.teachers == {"dino": "sam_base", "sam": "sam_base"}
    with pickle.loads(pickle.dumps(student)) as again:  # the name that was allowed goes along
        assert again.explain().teachers == told.teachers


def test_a_pack_of_the_slots_teacher_may_have_a_name_of_its_own(
    student: sakedge.Student, packs: dict[str, Path], tmp_path: Path
) -> None:
    pack = read_pack(packs["new"])
    tensors = {key.replace(".sam", ".night"): tensor for key, tensor in pack.tensors.items()}
    renamed = pack.manifest.model_copy(update={"name": "night"})
    write_pack(tmp_path / "night.safetensors", renamed, tensors)
    student.adapters.swap("sam", tmp_path / "night.safetensors")
    assert student.explain().teachers["sam"] == "sam_base"


def test_what_runs_is_told_by_name_teacher_and_version(
    student: sakedge.Student, packs: dict[str, Path]
) -> None:
    student.adapters.swap("sam", packs["new"])
    told = student.explain()
    assert "dino (teacher dino_base), sam (teacher sam_base, version 2)" in str(told)
    assert told.to_dict()["versions"] == {"sam": "2"}
    result = student(IMAGE, tasks=["edge"])
    summary = result.to_dict()
    assert summary["adapters"] == ["dino", "sam"]
    assert summary["teachers"] == {"dino": "dino_base", "sam": "sam_base"}
    assert summary["versions"] == {"sam": "2"}
    student.adapters.remove("dino")
    assert student.explain().teachers == {"sam": "sam_base"}


@pytest.mark.parametrize(
    ("pack", "error"),
    [
        (None, OptionError),
        (7, OptionError),
        (b"sam.safetensors", OptionError),
        (["sam.safetensors"], OptionError),
        ("", StorageError),
        ("a\0b", StorageError),
        ("\ud800", StorageError),
        ("x" * 5000, StorageError),
        ("/dev/zero", StorageError),
        ("/", StorageError),
    ],
)
def test_what_names_no_pack_is_an_error_of_ours(
    student: sakedge.Student, pack: Any, error: type[Exception]
) -> None:
    before = edge(student)
    with pytest.raises(error):
        student.adapters.swap("sam", pack)
    with pytest.raises(error):
        read_pack(pack)
    with pytest.raises(error):
        StudentFile.open(pack)
    np.testing.assert_array_equal(edge(student), before)


@pytest.mark.parametrize("slot", [None, 3, ["sam"], ("sam", "dino"), []])
def test_a_slot_is_one_name(student: sakedge.Student, packs: dict[str, Path], slot: Any) -> None:
    with pytest.raises(OptionError, match="by name"):
        student.adapters.swap(slot, packs["sam"])
    with pytest.raises(OptionError, match="by name"):
        student.adapters.remove(slot)


def test_removing_an_adapter_is_leaving_it_out(
    student: sakedge.Student, packs: dict[str, Path]
) -> None:
    narrowed = edge(student, adapters=["dino"])
    student.adapters.remove("sam")
    assert student.adapters.active == ("dino",)
    np.testing.assert_array_equal(edge(student), narrowed)
    with pytest.raises(UnknownAdapterError):
        edge(student, adapters=["sam"])
    student.adapters.swap("sam", packs["sam"])
    assert student.adapters.active == ("dino", "sam")


def test_a_refused_pack_leaves_what_runs_untouched(
    student: sakedge.Student, packs: dict[str, Path], tmp_path: Path
) -> None:
    before = edge(student)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(packs["new"].read_bytes()[:-1])
    refusals: list[tuple[str, Path, type[Exception]]] = [
        ("sam", packs["alien"], AdapterMismatchError),
        ("sam", broken, FileFormatError),
        ("sam", tmp_path / "gone.safetensors", StorageError),
        ("clip", packs["sam"], UnknownAdapterError),
    ]
    for name, pack, error in refusals:
        with pytest.raises(error):
            student.adapters.swap(name, pack)
        np.testing.assert_array_equal(edge(student), before)
    student.adapters.swap("sam", packs["alien"], any_stem=True)


def test_one_pack_swaps_into_every_stored_type_of_its_student_and_into_no_other(
    tmp_path: Path,
) -> None:
    sizes = {"width": 48, "blocks": 4, "attention_heads": 3, "tasks": ["edge"]}
    own = make_checkpoint(tmp_path / "own", seed=1, **sizes)  # type: ignore[arg-type]
    other = make_checkpoint(tmp_path / "other", seed=2, **sizes)  # type: ignore[arg-type]
    convert(*own, tmp_path / "fp32.onnx")
    convert(*own, tmp_path / "fp16.onnx", dtype="fp16")
    convert(*other, tmp_path / "other.onnx")
    pack = tmp_path / "dino.safetensors"
    with StudentFile.open(tmp_path / "fp32.onnx") as file:
        dino = extract_part(file, "adapters.dino")
        write_pack(pack, dino.manifest, dino.tensors)
    for stored in ("fp32", "fp16"):
        with sakedge.load(tmp_path / f"{stored}.onnx", backend="onnxruntime") as student:
            before = edge(student)
            student.adapters.swap("sam", pack, teacher="dino_base")
            assert not np.allclose(edge(student), before, atol=1e-4)
    with sakedge.load(tmp_path / "other.onnx", backend="onnxruntime") as student:
        before = edge(student)
        with pytest.raises(AdapterMismatchError, match="another stem"):
            student.adapters.swap("sam", pack)
        np.testing.assert_array_equal(edge(student), before)


def test_explain_and_pickle_know_what_was_swapped(
    student: sakedge.Student, packs: dict[str, Path]
) -> None:
    own = student.explain().digests["adapters.sam"]
    pack = student.adapters.swap("sam", packs["new"])
    student.adapters.remove("dino")
    assert student.explain().digests["adapters.sam"] == pack.manifest.digest != own
    frozen = pickle.dumps(student)
    with pickle.loads(frozen) as again:
        assert again.adapters.active == ("sam",)
        np.testing.assert_array_equal(edge(again), edge(student))
    packs["new"].write_bytes(packs["sam"].read_bytes())
    with pytest.raises(DigestError, match="swapped in"):
        pickle.loads(frozen)


def test_calls_during_swaps_see_one_adapter_or_the_other(
    student: sakedge.Student, packs: dict[str, Path]
) -> None:
    wanted = [edge(student, adapters=["dino"])]
    for name in ("new", "sam"):
        student.adapters.swap("sam", packs[name])
        wanted.append(edge(student))
    done = threading.Event()
    wrong: list[object] = []

    def call() -> None:
        try:
            while not done.is_set():
                seen = edge(student)
                if not any(np.array_equal(seen, one) for one in wanted):
                    wrong.append(seen)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        student.adapters.swap("sam", packs["new"])
        student.adapters.remove("sam")
        student.adapters.swap("sam", packs["sam"])
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
