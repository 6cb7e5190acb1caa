"""Parts of every kind: extracted, written, read, and matched against students."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from tests.support.files import as_version_1, edit_manifest

from sakedge.errors import AdapterMismatchError
from sakedge.format import (
    Manifest,
    PartManifest,
    PartPack,
    Storage,
    StudentFile,
    extract_part,
    read_pack,
    write_pack,
    write_student,
)
from sakedge.format.digest import component_digest
from sakedge.format.pack.manifest import PACK
from sakedge.format.parse import parse
from sakedge.tasks import TaskInfo

PARTS = ("adapters.sam", "routers.edge", "heads.defects")


@pytest.fixture(scope="module")
def student(tiny_student: Path) -> Manifest:
    with StudentFile.open(tiny_student) as file:
        return file.manifest


def _part(path: Path, component: str) -> PartPack:
    with StudentFile.open(path) as file:
        return extract_part(file, component)


@pytest.mark.parametrize("component", PARTS)
def test_a_part_of_every_kind_survives_the_file(
    tiny_student: Path, student: Manifest, tmp_path: Path, component: str
) -> None:
    part = _part(tiny_student, component)
    path = tmp_path / "part.safetensors"
    assert write_pack(path, part.manifest, part.tensors) == part.manifest
    read = read_pack(path)
    assert read.manifest == part.manifest
    assert read.manifest.digest == student.digests[component]
    assert component == f"{part.manifest.kind}s.{part.manifest.name}"
    assert all(np.array_equal(read.tensors[name], part.tensors[name]) for name in part.tensors)
    read.check_fits(student)


def test_a_part_says_what_it_was_made_for(tiny_student: Path, student: Manifest) -> None:
    adapter, router, head = (_part(tiny_student, component).manifest for component in PARTS)
    assert (adapter.teacher, adapter.hidden) == ("sam_base", 12)
    assert router.experts == ("dino", "sam")
    assert head.task == student.tasks[0]
    assert {part.stem_lineage for part in (adapter, router, head)} == {student.digests["stem"]}


def _with(student: Manifest, **changes: Any) -> Manifest:
    return student.model_copy(update=changes)


@pytest.mark.parametrize(
    ("component", "change", "reason"),
    [
        ("adapters.sam", lambda m: _with(m, levels=(0, 1)), r"levels; .*\(0, 1\); got \(0, 1, 2"),
        ("routers.edge", lambda m: _with(m, adapters=m.adapters[::-1]), "experts; .*'sam', 'dino'"),
        ("routers.edge", lambda m: _with(m, tasks=m.tasks[:1]), "one of defects; got edge"),
        (
            "routers.edge",
            lambda m: _with(m, architecture=m.architecture.model_copy(update={"router": "none"})),
            "routers; expected none; got mor",
        ),
        ("heads.edge", lambda m: _with(m, tasks=m.tasks[:1]), "one of defects; got edge"),
        (
            "heads.edge",
            lambda m: _with(m, tasks=(TaskInfo(name="edge", kind="scalar", classes=1),)),
            "kind of task edge; expected scalar; got probability",
        ),
        (
            "heads.defects",
            lambda m: _with(m, tasks=(TaskInfo(name="defects", kind="labels", classes=9),)),
            "classes of task defects; expected 9; got 4",
        ),
    ],
)
def test_a_part_for_another_student_says_what_differs(
    tiny_student: Path,
    student: Manifest,
    component: str,
    change: Callable[[Manifest], Manifest],
    reason: str,
) -> None:
    part = _part(tiny_student, component)
    with pytest.raises(AdapterMismatchError, match=f"{part.manifest.name} was made .*{reason}"):
        part.check_fits(change(student), any_stem=True)


@pytest.mark.parametrize("component", PARTS)
def test_parts_of_another_stem_are_refused_unless_allowed(
    tiny_student: Path, student: Manifest, component: str
) -> None:
    part = _part(tiny_student, component)
    other = _with(student, stem_lineage="0" * 64, digests=student.digests | {"stem": "0" * 64})
    with pytest.raises(AdapterMismatchError, match="trained on another stem"):
        part.check_fits(other)
    part.check_fits(other, any_stem=True)


@pytest.mark.parametrize(
    ("component", "changes", "reason"),
    [
        ("heads.edge", {"name": "rim"}, "head rim is for task edge"),
        ("heads.edge", {"task": None}, "kind head needs 'task'"),
        ("heads.edge", {"routed_tasks": ["edge"]}, "cannot have 'routed_tasks'"),
        ("routers.edge", {"hidden": 4}, "kind router cannot have 'hidden'"),
        ("routers.edge", {"experts": None}, "kind router needs 'experts'"),
    ],
)
def test_a_manifest_with_the_fields_of_another_kind_is_refused(
    tiny_student: Path, component: str, changes: dict[str, Any], reason: str
) -> None:
    fields = _part(tiny_student, component).manifest.model_dump()
    with pytest.raises(ValidationError, match=reason):
        PartManifest.model_validate(fields | changes)


def test_unknown_fields_of_a_pack_are_kept(tiny_student: Path, tmp_path: Path) -> None:
    part = _part(tiny_student, "heads.edge")
    fields = part.manifest.model_dump(mode="json") | {"new": None}
    fields["task"] |= {"palette": "warm"}
    write_pack(tmp_path / "p", PartManifest.model_validate(fields), part.tensors)
    assert read_pack(tmp_path / "p").manifest.model_dump(mode="json") == fields


def _version_1(manifest: PartManifest) -> dict[str, Any]:
    fields = manifest.model_dump(mode="json") | {"format_version": 1}
    fields["stem_digest"] = fields.pop("stem_lineage")
    for added in ("requires", "kind", "experts", "task"):
        del fields[added]
    return fields


def test_a_version_1_pack_is_a_pack_of_an_adapter(tiny_student: Path, student: Manifest) -> None:
    part = _part(tiny_student, "adapters.sam")
    manifest = parse(PACK, _version_1(part.manifest), "old.safetensors")
    assert manifest == part.manifest
    PartPack(manifest, part.tensors).check_fits(student)


def test_a_version_1_pack_of_an_fp16_student_fits_that_student_converted_anew(
    tiny_student: Path, tmp_path: Path
) -> None:
    """It names the fp16 stem, which the new file has, though of another lineage."""
    with StudentFile.open(tiny_student) as file:
        halves = {
            name: {key: tensor.astype(np.float16) for key, tensor in file.component(name).items()}
            for name in file.manifest.components
        }
        half = file.manifest.model_copy(update={"storage": Storage.uniform("fp16")})
    new = write_student(tmp_path / "new.onnx", half, halves)
    old = edit_manifest(tmp_path / "new.onnx", tmp_path / "old.onnx", as_version_1)
    part = _part(old, "adapters.sam")
    assert part.manifest.stem_lineage == component_digest(halves["stem"]) != new.stem_lineage
    part.check_fits(new)
