"""Converts an official SAK checkpoint to student.onnx."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from sakedge.convert.opened import open_training
from sakedge.convert.report import Report, count_parameters
from sakedge.errors import OptionError
from sakedge.files.targets import check_target, followed, refuse_inputs
from sakedge.format import StudentFile, write_student
from sakedge.format.student.parts import Fit
from sakedge.progress import Progress


def convert(
    checkpoint: str | Path,
    config: str | Path,
    out: str | Path,
    *,
    dtype: Literal["fp32", "fp16"] = "fp32",
    size: tuple[int, int] | None = None,
    fit: Fit = "pad",
    progress: Progress | None = None,
) -> Report:
    """Converts an official stage-2 checkpoint.

    Args:
        checkpoint: What the training saved.
        config: The config.yml of that training.
        out: The student.onnx to write; replaced atomically.
        dtype: How weights are stored.
        size: Height and width of the student's input, multiples of 16; another size than the
            training's resamples the position embedding. None keeps the training's.
        fit: How the student fits images of other sizes unless asked otherwise.
        progress: Called with the current step and the share done.

    Raises:
        CheckpointError: Checkpoint or configuration cannot be converted; the message says why.
        OptionError: dtype, size or fit is not allowed, or `out` is an input.
        StorageError: A file cannot be read or written.
    """
    checkpoint, out = Path(checkpoint), Path(out)
    if dtype not in ("fp32", "fp16"):
        raise OptionError("dtype is not supported", expected="fp32 or fp16", got=repr(dtype))
    if fit not in get_args(Fit):
        raise OptionError(
            "fit is not supported", expected=f"one of {', '.join(get_args(Fit))}", got=repr(fit)
        )
    refuse_inputs(out, (checkpoint, config))
    check_target(followed(out))
    opened = open_training(
        checkpoint, Path(config), dtype=dtype, size=size, fit=fit, progress=progress
    )
    manifest = opened.manifest
    components = {name: opened.component(name, dtype) for name in manifest.components}
    if dtype != "fp32":
        manifest = manifest.model_copy(update={"stem_lineage": opened.stem_lineage()})
    manifest = write_student(out, manifest, components, progress=progress)
    with StudentFile.open(out) as written:
        size_in_bytes = sum(path.stat().st_size for path in written.files)
    return Report(
        path=out,
        bytes=size_in_bytes,
        manifest=manifest,
        entries=opened.kept,
        parameters=count_parameters({key: entry.shape for key, entry in opened.entries.items()}),
        notes=opened.notes,
    )
