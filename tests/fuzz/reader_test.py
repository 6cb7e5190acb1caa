"""Damaged files never do more than raise: no crash, no other exception, no large allocation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sakedge.errors import FileFormatError
from sakedge.format import (
    StudentFile,
    extract_part,
    read_pack,
    write_pack,
)
from sakedge.format.digest import component_digest

# Enough to reach every branch many times, few enough for every run of the tests.
FEW = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Damage = Callable[[bytearray], None]


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """Flips, truncations, repetitions and numbers written over, mostly near the file's start.

    The start is where a student's manifest and nodes lie and a pack's header; what comes after is
    weights, where all bytes are alike.
    """
    kind = draw(st.sampled_from(["flip", "truncate", "repeat", "overwrite"]))
    where = draw(st.floats(0, 1)) ** draw(st.sampled_from([1, 4, 8]))
    length = draw(st.integers(1, 200))
    value = draw(st.binary(min_size=1, max_size=12))
    bit = 1 << draw(st.integers(0, 7))

    def damage(content: bytearray) -> None:
        at = min(int(where * len(content)), len(content) - 1)
        if kind == "flip":
            content[at] ^= bit
        elif kind == "truncate":
            del content[at:]
        elif kind == "repeat":
            content[at:at] = content[at : at + length]
        else:
            content[at : at + len(value)] = value

    return damage


def _student_digests(path: Path) -> dict[str, str]:
    with StudentFile.open(path) as file:
        file.stem()
        return {name: component_digest(file.component(name)) for name in file.manifest.components}


def _pack_digests(path: Path) -> dict[str, str]:
    return {"pack": component_digest(read_pack(path).tensors)}


@pytest.fixture(scope="module")
def pack(tiny_student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "sam.safetensors"
    with StudentFile.open(tiny_student) as file:
        extracted = extract_part(file, "adapters.sam")
        write_pack(path, extracted.manifest, extracted.tensors)
    return path


def _survives(
    read: Callable[[Path], dict[str, str]], source: Path, target: Path, damage: Damage
) -> bool:
    """Damages a file, checks that it causes at worst an error, and returns whether it is read."""
    content = bytearray(source.read_bytes())
    damage(content)
    target.write_bytes(content)
    expected = read(source)
    tracemalloc.start()
    try:
        found = read(target)
    except FileFormatError as error:
        assert str(error)
        found = None
    else:
        assert found == expected, "damaged weights were taken for sound ones"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # Nodes as Python objects and a copy of what is not aligned; nothing sized by the file.
    assert peak < 4_000_000 + 2 * len(content), peak
    return found is not None


@FEW
@given(damage=damages())
def test_a_damaged_student_is_refused_or_unharmed(
    tiny_student: Path, tmp_path: Path, damage: Damage
) -> None:
    target = tmp_path / "student.onnx"
    if not _survives(_student_digests, tiny_student, target, damage):
        return
    with StudentFile.open(tiny_student) as sound, StudentFile.open(target) as damaged:
        is_same = tiny_student.read_bytes() == target.read_bytes()
        assert (sound.file_digest == damaged.file_digest) == is_same


@FEW
@given(damage=damages())
def test_a_damaged_pack_is_refused_or_unharmed(pack: Path, tmp_path: Path, damage: Damage) -> None:
    _survives(_pack_digests, pack, tmp_path / "pack.safetensors", damage)


@FEW
@given(content=st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    for prefix in (b"", b"\x08\x0b\x3a"):
        path.write_bytes(prefix + content)
        with pytest.raises(FileFormatError):
            StudentFile.open(path)
    with pytest.raises(FileFormatError):
        read_pack(path)
