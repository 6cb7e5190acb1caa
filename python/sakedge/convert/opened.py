"""Opens an official checkpoint with its configuration, as what a student is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from sakedge.convert.check import check_entries, refuse_stage_one
from sakedge.convert.config import TrainingConfig, read_config
from sakedge.convert.describe import describe
from sakedge.convert.lora import merge_lora
from sakedge.convert.mapping import OfficialLayout, StoredTensors
from sakedge.convert.position import POSITION, for_size
from sakedge.convert.state import Entries, file_sha256, open_checkpoint, read_checked
from sakedge.format import Manifest
from sakedge.format.digest import component_digest
from sakedge.format.student.parts import Fit
from sakedge.progress import Progress

_ALIGNERS = "backbone.ts_aligners."


@dataclass(frozen=True)
class Opened:
    """A stage-2 checkpoint whose names and shapes are those that its configuration promises.

    Attributes:
        training: The configuration.
        manifest: The student that it is, without digests.
        layout: Which of its entries each of the student's tensors is made of.
        entries: Its entries under their plain names, LoRA merged, not read yet.
        kept: How many entries the checkpoint has without aligners.
        notes: What was dropped, merged or changed on the way, one sentence each.
    """

    training: TrainingConfig
    manifest: Manifest
    layout: OfficialLayout
    entries: Entries
    kept: int
    notes: tuple[str, ...]

    def component(self, name: str, dtype: Literal["fp32", "fp16"] = "fp32") -> StoredTensors:
        """A component's tensors, each made when it is asked for."""
        return StoredTensors(self.layout.recipes[name], partial(read_checked, self.entries), dtype)

    def stem_lineage(self) -> str:
        """Digest of the float32 stem."""
        return component_digest(self.component("stem"))


def open_training(
    checkpoint: Path,
    config: Path,
    *,
    dtype: Literal["fp32", "fp16"] = "fp32",
    size: tuple[int, int] | None = None,
    fit: Fit = "pad",
    progress: Progress | None = None,
) -> Opened:
    """Opens an official stage-2 checkpoint; no weight is read.

    Args:
        checkpoint: What the training saved.
        config: The config.yml of that training.
        dtype: How the student's weights are to be stored.
        size: Height and width of its input; None keeps the training's.
        fit: How it fits images of other sizes.
        progress: Called while the file is digested.

    Raises:
        CheckpointError: Checkpoint or configuration cannot be used; the message says why.
        OptionError: The size is not allowed.
        StorageError: A file cannot be read.
    """
    training = read_config(config)
    raw = open_checkpoint(checkpoint)
    refuse_stage_one(raw)
    kept = {key: entry for key, entry in raw.items() if not key.startswith(_ALIGNERS)}
    entries, merged = merge_lora(kept, training.backbone.lora_config)
    notes = _notes(training, aligners=len(raw) - len(kept), merged=merged)
    if POSITION in entries:
        entries[POSITION], note = for_size(entries[POSITION], training, size)
        notes += note
    source = file_sha256(checkpoint, progress)
    manifest = describe(
        training, size=size or training.size(), dtype=dtype, fit=fit, source_sha256=source
    )
    layout = OfficialLayout(manifest, noisy=training.backbone.noisy_gating)
    check_entries(entries, layout.expected)
    return Opened(training, manifest, layout, entries, len(kept), tuple(notes))


def _notes(training: TrainingConfig, *, aligners: int, merged: int) -> list[str]:
    notes = []
    if aligners:
        notes.append(f"{aligners} aligner entries dropped: used in distillation only")
    if merged:
        notes.append(f"LoRA factors merged into {merged} weights")
    if training.backbone.router_type == "mor" and training.backbone.noisy_gating:
        notes.append("the routers' noise rows removed: used in training only")
    return notes
