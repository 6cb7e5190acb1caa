"""Makes a pack of one teacher's adapter, from an official checkpoint."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sakedge.convert.opened import Opened, open_training
from sakedge.convert.routing import Routing, Tensors, routing_of
from sakedge.errors import UnknownNameError, shown
from sakedge.files.paths import file_path
from sakedge.files.targets import check_target, followed, refuse_inputs
from sakedge.format import (
    AdapterInfo,
    PartManifest,
    PartPack,
    StudentFile,
    write_pack,
)
from sakedge.format.pack.part import check_options
from sakedge.format.student.int8 import stored_as
from sakedge.format.student.manifest import INT8
from sakedge.format.student.parts import Stored
from sakedge.progress import Progress


@dataclass(frozen=True)
class Packed:
    """A pack that was made.

    Attributes:
        path: Where it lies.
        bytes: Its size.
        manifest: What it is.
        notes: What was dropped, merged or changed on the way, one sentence each.
    """

    path: Path
    bytes: int
    manifest: PartManifest
    notes: tuple[str, ...]


def pack_adapter(
    checkpoint: str | Path,
    config: str | Path,
    out: str | Path,
    *,
    teacher: str,
    student: str | Path | None = None,
    routers: bool = False,
    storage: Stored = "fp32",
    version: str = "",
    any_stem: bool = False,
    progress: Progress | None = None,
) -> Packed:
    """Makes a pack of one adapter of a checkpoint: its TSAP and its norms.

    For a student that has not seen the teacher the pack also has, for each task that both have, the
    column of the routers that weighs the new expert. That is enough where only this column was
    trained; where the routers were, take them whole.

    Args:
        checkpoint: What the training saved.
        config: The config.yml of that training.
        out: The pack to write; replaced atomically.
        teacher: Name of the adapter, as the configuration has it.
        student: The student that it is for. It gives the input size that the stem's lineage is
            known at, and is checked: the pack fits it. None: the training's own size.
        routers: Whether the pack brings whole routers, as they were trained with the adapter.
        storage: How the weights are stored.
        version: Free text from the maker.
        any_stem: Whether the stem may be another than the student's.
        progress: Called with the current step and the share done.

    Raises:
        UnknownNameError: The training had no such teacher.
        AdapterMismatchError: It does not fit the student, or the routers were trained too and are
            not wanted.
        CheckpointError: Checkpoint or configuration cannot be used; the message says why.
        FileFormatError: The student cannot be used, or a weight.
        OptionError: An argument is of another type, there is no such storage, the version is too
            long, or `out` is an input.
        StorageError: A file cannot be read or written.
    """
    check_options(version, storage)
    checkpoint, config = file_path("a checkpoint", checkpoint), file_path("its config", config)
    out = file_path("a pack", out)
    refuse_inputs(out, [checkpoint, config, *([] if student is None else [student])])
    check_target(followed(out))
    with ExitStack() as stack:
        file = None if student is None else stack.enter_context(StudentFile.open(student))
        size = None if file is None else file.manifest.input_size
        opened = open_training(checkpoint, config, size=size, progress=progress)
        routing = routing_of(opened, file, _adapter(opened, teacher), whole=routers)
        manifest, tensors = _part(opened, teacher, routing, storage, version)
        if file is not None:
            PartPack(manifest, tensors).check_fits(file.manifest, any_stem=any_stem)
    manifest = write_pack(out, manifest, tensors)
    return Packed(out, out.stat().st_size, manifest, opened.notes)


def _part(
    opened: Opened, teacher: str, routing: Routing, storage: Stored, version: str
) -> tuple[PartManifest, Tensors]:
    whole, info = opened.manifest, _adapter(opened, teacher)
    tensors = stored_as({**opened.component(f"adapters.{teacher}"), **routing.tensors}, storage)
    requires = (*((INT8,) if storage == INT8 else ()), *routing.fields.get("requires", ()))
    fields = {
        **routing.fields,
        "kind": "adapter",
        "name": teacher,
        "version": version,
        "teacher": info.teacher,
        "license": info.license,
        "hidden": info.hidden,
        "architecture": whole.architecture,
        "levels": whole.levels,
        "stem_lineage": opened.stem_lineage(),
        "storage": storage,
        "requires": requires,
    }
    return PartManifest(**fields), tensors


def _adapter(opened: Opened, name: str) -> AdapterInfo:
    adapters = {adapter.name: adapter for adapter in opened.manifest.adapters}
    if not isinstance(name, str) or name not in adapters:
        raise UnknownNameError(
            f"the training had no teacher {shown(name)}",
            expected=f"one of {', '.join(adapters) or 'none'}",
        )
    return adapters[name]
