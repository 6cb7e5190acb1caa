"""A part outside of its student, and whether it fits another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from numpy.typing import NDArray

from sakedge.arguments import one_of
from sakedge.errors import AdapterMismatchError, OptionError, UnknownNameError, shown
from sakedge.format.digest import component_digest
from sakedge.format.pack.manifest import COMPONENTS, PartManifest
from sakedge.format.schema import LONGEST_TEXT
from sakedge.format.student.int8 import stored_as
from sakedge.format.student.manifest import INT8, Manifest
from sakedge.format.student.parts import Stored
from sakedge.format.student.reader import StudentFile
from sakedge.text import visible

_KINDS = {group: kind for kind, group in COMPONENTS.items()}


@dataclass(frozen=True, repr=False)
class PartPack:
    """A verified pack.

    Attributes:
        manifest: What it is.
        tensors: Its tensors by canonical name, float32, float16 or int8 (see `student/int8.py`),
            read-only.
        file_digest: SHA-256 of everything in its file: the manifest as stored and, by the digest in
            it, the tensors. Empty for a pack that was not read from a file.
    """

    manifest: PartManifest
    tensors: Mapping[str, NDArray[Any]]
    file_digest: str = ""

    def __repr__(self) -> str:
        told = self.manifest
        version = f" {visible(told.version)}" if told.version else ""
        size = sum(tensor.nbytes for tensor in self.tensors.values())
        digest = f", SHA-256 {self.file_digest[:16]}…" if self.file_digest else ""
        return f"PartPack({told.kind} {told.name}{version}, {size / 2**20:.1f} MiB{digest})"

    def check_fits(self, student: Manifest, *, any_stem: bool = False) -> None:
        """Checks that the part was made for a student.

        A router or a head goes to the task of its own name.

        Args:
            student: The student's manifest.
            any_stem: Whether another stem of the same sizes is accepted.

        Raises:
            AdapterMismatchError: It was not.
        """
        ours = self.manifest
        for what, wanted, got in _pairs(ours, student):
            if wanted != got:
                raise AdapterMismatchError(
                    f"{ours.kind} {ours.name} was made for a student with other {what}",
                    expected=str(wanted),
                    got=str(got),
                )
        # A version-1 pack of a student that stores its stem in another type names that very stem.
        stems = (student.stem_lineage, student.digests["stem"])
        if ours.stem_lineage not in stems and not any_stem:
            raise AdapterMismatchError(
                f"{ours.kind} {ours.name} was trained on another stem",
                expected=f"stem {student.stem_lineage}",
                got=ours.stem_lineage,
                remedy="Get the pack made for this student, or allow another stem explicitly",
            )


def extract_part(
    student: StudentFile, component: str, *, version: str = "", storage: Stored | None = None
) -> PartPack:
    """Makes a pack of a part of a student.

    Args:
        student: The student.
        component: `adapters.<name>`, `routers.<task>` or `heads.<task>`.
        version: Free text from the maker.
        storage: How the pack is to store the weights. None keeps them as the student has them, so
            that the pack has the digest of the student's part.

    Raises:
        UnknownNameError: The student has no such part.
        OptionError: The version is too long, or there is no such storage.
        TensorError: A weight does not fit in float16.
        FileFormatError: The part is damaged.
    """
    check_options(version, storage)
    whole = student.manifest
    parts = [name for name in whole.components if name != "stem"]
    if component not in parts:
        raise UnknownNameError(
            f"{student.path.name} has no part {component!r}",
            expected=f"one of {', '.join(parts)}",
        )
    group, _, name = component.partition(".")
    storage = storage or whole.storage.of(component)
    tensors = stored_as(student.component(component), storage)
    own: dict[str, Any] = {"license": whole.provenance.license}
    if group == "adapters":
        info = next(adapter for adapter in whole.adapters if adapter.name == name)
        own = {"teacher": info.teacher, "license": info.license, "hidden": info.hidden}
    elif group == "routers":
        own["experts"] = whole.adapter_names
    else:
        own["task"] = next(task for task in whole.tasks if task.name == name)
    manifest = PartManifest(
        kind=_KINDS[group],
        name=name,
        version=version,
        architecture=whole.architecture,
        levels=whole.levels,
        stem_lineage=whole.stem_lineage,
        digest=component_digest(tensors),
        storage=storage,
        requires=(INT8,) if storage == INT8 else (),
        **own,
    )
    return PartPack(manifest, tensors)


def check_options(version: object, storage: object) -> None:
    """Checks what a caller wants a new pack to be.

    Raises:
        OptionError: The version is no line of text, or there is no such storage.
    """
    if not isinstance(version, str) or len(version) > LONGEST_TEXT:
        raise OptionError(
            "that is no version of a pack",
            expected=f"a text of at most {LONGEST_TEXT} characters",
            got=shown(version),
        )
    if storage is not None:
        one_of("storage", storage, get_args(Stored))


def _pairs(part: PartManifest, student: Manifest) -> Iterator[tuple[str, object, object]]:
    """What must be equal: its name, the student's value, the part's."""
    yield "width", student.architecture.width, part.architecture.width
    yield "blocks", student.architecture.blocks, part.architecture.blocks
    yield "levels", student.levels, part.levels
    if part.kind == "router":
        yield "routers", student.architecture.router, part.architecture.router
        yield "experts", student.adapter_names, part.experts
    if part.kind != "adapter":
        task = next((each for each in student.tasks if each.name == part.name), None)
        yield "tasks", part.name if task else f"one of {', '.join(student.task_names)}", part.name
        if part.task is not None and task is not None:
            yield f"kind of task {task.name}", task.kind, part.task.kind
            yield f"classes of task {task.name}", task.classes, part.task.classes
