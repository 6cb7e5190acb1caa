"""`sakedge adapter inspect`: what a pack or a delta is, and whether it fits a student."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sakedge.cli.adapter.shown import delta_facts, parameters, say_delta
from sakedge.cli.options import Json
from sakedge.cli.output import print_facts, print_json
from sakedge.errors import AdapterMismatchError

if TYPE_CHECKING:
    from sakedge.format import Manifest, PartPack


def inspect(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="A part pack or a .sakdelta.")],
    student: Annotated[
        Path | None,
        typer.Option(metavar="STUDENT", help="Also say whether it fits this student."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what a pack holds and which student it fits. Exits 1 if it does not fit STUDENT."""
    from sakedge.files.mapped import MappedFile
    from sakedge.format import read_pack

    if pack.suffix.lower() == ".sakdelta":
        from sakedge.format.delta import read_info

        info = read_info(MappedFile(pack).data, pack.name)
        if json:
            print_json({"path": str(pack), **delta_facts(info)})
        else:
            say_delta(pack, info)
        return
    part = read_pack(pack)  # always checks the digest: a pack is small
    fit = None if student is None else _fit(part, student)
    if json:
        print_json(
            {
                "path": str(pack),
                "bytes": pack.stat().st_size,
                "parameters": parameters(part.manifest),
                "file_digest": part.file_digest,
                "manifest": part.manifest.model_dump(mode="json", exclude_none=True),
                **({} if fit is None else {"fits": not fit["refused"], **fit}),
            }
        )
    else:
        print_facts(str(pack), _facts(part, pack.stat().st_size, fit))
    if fit is not None and fit["refused"]:
        raise typer.Exit(1)


def _facts(part: PartPack, size: int, fit: dict[str, Any] | None) -> dict[str, str]:
    found, arch = part.manifest, part.manifest.architecture
    facts = {
        "kind": found.kind,
        "name": found.name,
        "teacher": found.teacher,
        "version": found.version or "not stated",
        "licence": found.license or "not stated",
        "weights": f"{parameters(found):,} in {found.storage or 'floats'}, {size / 1e6:.2f} MB",
        "student": f"width {arch.width}, {arch.blocks} blocks, levels {_listed(found.levels)}",
        "bottleneck": found.hidden and f"width {found.hidden}",
        "experts": found.experts and _listed(found.experts),
        "columns": found.routed_tasks and f"new expert's, for {_listed(found.routed_tasks)}",
        "routers": found.retrained_tasks and f"whole, for {_listed(found.retrained_tasks)}",
        "task": found.task and f"{found.task.kind}, {found.task.classes} classes",
        "requires": _listed(found.requires),
        "lineage": f"float32 stem {found.stem_lineage}",
        "tensors": f"SHA-256 {found.digest}",
        "file": f"SHA-256 {part.file_digest}",
    }
    if fit is not None:
        facts["fits"] = f"no: {fit['refused']}" if fit["refused"] else f"yes: {fit['how']}"
    return {name: str(fact) for name, fact in facts.items() if fact}


def _fit(part: PartPack, path: Path) -> dict[str, Any]:
    """Whether a pack fits a student, and how it goes in."""
    from sakedge.format import StudentFile

    with StudentFile.open(path) as file:
        student = file.manifest
    try:
        part.check_fits(student)
    except AdapterMismatchError as error:
        return {"student": str(path), "how": "", "refused": str(error)}
    return {"student": str(path), "how": _way_in(part, student), "refused": ""}


def _way_in(part: PartPack, student: Manifest) -> str:
    found = part.manifest
    if found.kind != "adapter":
        return f"the {found.kind} of task {found.name}"
    slots = [each.name for each in student.adapters if each.teacher == found.teacher]
    if slots:
        return f"slot {_listed(slots)}, of its teacher"
    brought = {*found.routed_tasks, *found.retrained_tasks}
    routed = [task for task in student.task_names if task in brought]
    if routed or not student.architecture.is_routed:
        return f"a new expert, for {_listed(routed or student.task_names)}"
    return f"in the slot of another teacher only: {found.teacher} is new, and it has no columns"


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))
