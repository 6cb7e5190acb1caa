"""`sakedge verify`: are our numbers those of stock ONNX Runtime?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.options import Backend, Device, Json, StudentPath, Threads
from sakedge.cli.output import print_json, print_table, progress_bar, say


def verify(
    student: StudentPath,
    images: Annotated[
        list[Path] | None, typer.Argument(help="Images to compare on (default: an example).")
    ] = None,
    backend: Backend = "auto",
    device: Device = None,
    precision: Annotated[
        str, typer.Option(help="Our precision: fp32, bf16, fp16, int8 or auto.")
    ] = "fp32",
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Largest error, relative to a task's range (default: by precision, 1e-4 at fp32).",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Compare all logits with stock ONNX Runtime on the same file.

    Backend auto compares each one that can run here. Beyond the tolerance the exit code is 1.
    """
    from sakedge.checks.verify import verify as run

    with progress_bar() as progress:
        found = run(
            student,
            images or (),
            backend=backend,
            device=device,
            precision=precision,
            threads=threads,
            tolerance=tolerance,
            progress=progress,
        )
    if json:
        print_json(found.to_dict())
    else:
        print_table(
            f"{student} against stock ONNX Runtime on {found.reference}, "
            f"{found.images} image(s), ours at {found.precision}, "
            f"tolerance {found.tolerance:g} of a task's range",
            ("backend", "task", "max abs error", "range", "relative", "rms", ""),
            [
                (
                    c.backend,
                    c.task,
                    f"{c.max_abs_error:.3g}",
                    f"{c.range:.4g}",
                    f"{c.error:.2g}",
                    f"{c.rms_error:.2g}",
                    "agrees" if c.agrees else "DIFFERS",
                )
                for c in found.comparisons
            ],
        )
        for name, reason in found.refused.items():
            say(f"{name} was left out: {reason}")
    if not found.agrees:
        raise typer.Exit(1)
