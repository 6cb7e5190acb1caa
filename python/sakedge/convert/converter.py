"""Converts an official SAK checkpoint to student.onnx."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal, get_args

from sakedge.convert.check import check_entries, refuse_stage_one
from sakedge.convert.config import TrainingConfig, read_config
from sakedge.convert.describe import describe
from sakedge.convert.lora import merge_lora
from sakedge.convert.mapping import OfficialLayout, StoredTensors
from sakedge.convert.position import POSITION, for_size
from sakedge.convert.report import Report, count_parameters
from sakedge.convert.state import file_sha256, open_checkpoint, read_checked
from sakedge.errors import OptionError
from sakedge.files.targets import check_target, followed, refuse_inputs
from sakedge.format import StudentFile, write_student
from sakedge.format.digest import component_digest
from sakedge.format.student.parts import Fit
from sakedge.progress import Progress

_ALIGNERS = "backbone.ts_aligners."


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
    training = read_config(Path(config))
    raw = open_checkpoint(checkpoint)
    refuse_stage_one(raw)
    kept = {key: entry for key, entry in raw.items() if not key.startswith(_ALIGNERS)}
    entries, merged = merge_lora(kept, training.backbone.lora_config)
    notes = _notes(training, aligners=len(raw) - len(kept), merged=merged)
    if POSITION in entries:
        entries[POSITION], note = for_size(entries[POSITION], training, size)
        notes += note

    source = file_sha256(checkpoint, progress)
    size = size or training.size()
    manifest = describe(training, size=size, dtype=dtype, fit=fit, source_sha256=source)
    layout = OfficialLayout(manifest, noisy=training.backbone.noisy_gating)
    check_entries(entries, layout.expected)
    read = partial(read_checked, entries)
    components = {
        component: StoredTensors(recipes, read, dtype)
        for component, recipes in layout.recipes.items()
    }
    if dtype != "fp32":
        stem = StoredTensors(layout.recipes["stem"], read, "fp32")
        manifest = manifest.model_copy(update={"stem_lineage": component_digest(stem)})
    manifest = write_student(out, manifest, components, progress=progress)
    with StudentFile.open(out) as written:
        size_in_bytes = sum(path.stat().st_size for path in written.files)
    return Report(
        path=out,
        bytes=size_in_bytes,
        manifest=manifest,
        entries=len(kept),
        parameters=count_parameters({key: entry.shape for key, entry in entries.items()}),
        notes=tuple(notes),
    )


def _notes(training: TrainingConfig, *, aligners: int, merged: int) -> list[str]:
    notes = []
    if aligners:
        notes.append(f"{aligners} aligner entries dropped: used in distillation only")
    if merged:
        notes.append(f"LoRA factors merged into {merged} weights")
    if training.backbone.router_type == "mor" and training.backbone.noisy_gating:
        notes.append("the routers' noise rows removed: used in training only")
    return notes
