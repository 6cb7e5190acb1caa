"""`sakedge inspect`: what is in a student file or a part pack."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.adapter.inspect import inspect as inspect_pack
from sakedge.cli.options import Json
from sakedge.cli.output import print_facts, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from sakedge.format import QualityEntry, TaskQuality


def inspect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A student.onnx, a part pack or a delta.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Read all weights and compare their SHA-256.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a student or a part pack holds. Reads no weights unless asked to."""
    if file.suffix.lower() in (".safetensors", ".sakdelta"):
        inspect_pack(file, json=json)
    else:
        _inspect_student(file, check, json)


def _inspect_student(path: Path, check: bool, json: bool) -> None:
    from sakedge.format import StudentFile
    from sakedge.format.student.graph import tensor_specs

    with StudentFile.open(path) as student:
        manifest = student.manifest
        specs = tensor_specs(manifest)
        parameters = {
            component: sum(math.prod(spec.shape) for spec in tensors)
            for component, tensors in specs.items()
        }
        if check:
            with progress_bar() as progress:
                for i, component in enumerate(manifest.components):
                    progress(component, i / len(manifest.components))
                    student.component(component)
    if json:
        print_json(
            {
                "path": str(path),
                "content_digest": student.content_digest,
                "file_digest": student.file_digest,
                "format_version": student.format_version,
                "bytes": path.stat().st_size,
                "parameters": parameters,
                "checked": check,
                "manifest": manifest.model_dump(mode="json"),
            }
        )
        return
    a, (height, width) = manifest.architecture, manifest.input_size
    pre, origin = manifest.preprocess, manifest.provenance
    print_facts(
        str(path),
        {
            "content": f"SHA-256 {student.content_digest}",
            "file": f"SHA-256 {student.file_digest}",
            "size": f"{path.stat().st_size / 1e6:.1f} MB, weights in {manifest.storage}",
            "input": f"{height} x {width} (height x width), fit {pre.fit}",
            "normalised": f"mean {pre.mean}, std {pre.std}",
            "stem": f"width {a.width}, {a.blocks} blocks, {a.heads} heads, patch {a.patch}",
            "lineage": f"float32 stem {manifest.stem_lineage}",
            "levels": ", ".join(map(str, manifest.levels)),
            "router": a.router,
            "parameters": f"{sum(parameters.values()) / 1e6:.2f} M",
            "format": f"version {student.format_version}",
            "made by": origin.tool,
            "licence": origin.license or "not stated",
            "source": f"SHA-256 {origin.source_sha256}" if origin.source_sha256 else "not stated",
        },
    )
    print_table(
        "Tasks",
        ("name", "kind", "classes", "labels or unit"),
        [
            (t.name, t.kind, t.classes, ", ".join(t.labels) if t.labels else t.unit or "")
            for t in manifest.tasks
        ],
    )
    print_table(
        "Adapters, in expert order",
        ("name", "teacher", "licence", "hidden", "parameters"),
        [
            (x.name, x.teacher, x.license or "", x.hidden, f"{parameters[f'adapters.{x.name}']:,}")
            for x in manifest.adapters
        ],
    )
    print_table(
        "Components, all intact" if check else "Components",
        ("name", "tensors", "parameters", "SHA-256"),
        [
            (c, len(specs[c]), f"{parameters[c]:,}", manifest.digests[c])
            for c in manifest.components
        ],
    )

    if manifest.storage.floats:
        say(f"In floats, as int8 lost too much there: {', '.join(manifest.storage.floats)}")
    for entry in manifest.quality:
        of_this = entry.content == student.content_digest
        _print_quality(entry, "this student" if of_this else f"content {entry.content}")


def _print_quality(entry: QualityEntry, of: str) -> None:
    print_table(
        f"Quality of {of} at {entry.precision} in {entry.runtime}, as recorded",
        ("task", "metric", "at fp32", entry.precision, "drop, 95 %", "allowed", "passed", "n"),
        [
            (
                *(task, found.metric, f"{found.reference:.4g}", f"{found.value:.4g}"),
                *(_drop(found), "" if found.allowed is None else f"{found.allowed:.2%}"),
                *("yes" if found.passed else "no", found.n),
            )
            for task, found in entry.tasks.items()
        ],
    )
    sets = dict.fromkeys((found.dataset, found.dataset_digest) for found in entry.tasks.values())
    print_facts(
        "Measured",
        {
            "with": entry.tool or "not stated",
            "adapters": ", ".join(f"{k} {v[:16]}…" for k, v in entry.adapters.items()) or "none",
            **{name: f"SHA-256 {digest}" if digest else "" for name, digest in sets},
        },
    )


def _drop(found: TaskQuality) -> str:
    if found.drop is None or found.drop_interval is None:
        return ""
    low, high = found.drop_interval
    return f"{found.drop:.2%} ({low:.2%} to {high:.2%})"
