"""What a signature says of a file beside its digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from sakedge.errors import FileFormatError
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.trust.describing import predicate
from sakedge.trust.encryption import encrypt_age
from sakedge.trust.secret_keys import new_age


def test_a_pack_and_a_student_are_described_by_what_they_state(
    tiny_student: Path, tmp_path: Path
) -> None:
    pack = tmp_path / "sam.safetensors"
    with StudentFile.open(tiny_student) as file:
        part = extract_part(file, "adapters.sam", version="7")
        write_pack(pack, part.manifest, part.tensors)
        lineage = file.manifest.stem_lineage
    said = predicate(pack)
    assert (said["kind"], said["part"], said["name"]) == ("pack", "adapter", "sam")
    assert (said["version"], said["stem_lineage"]) == ("7", lineage)
    assert predicate(tiny_student)["kind"] == "student"
    pack.write_bytes(encrypt_age(pack.read_bytes(), [new_age()[1]]))
    assert predicate(pack)["kind"] == "encrypted"


def test_what_is_no_pack_is_not_signed_as_one(tmp_path: Path) -> None:
    for name in ("x.safetensors", "x.onnx"):
        (tmp_path / name).write_bytes(b"text")
        with pytest.raises(FileFormatError):
            predicate(tmp_path / name)
    (tmp_path / "x.txt").write_bytes(b"text")
    assert predicate(tmp_path / "x.txt")["kind"] == "file"
