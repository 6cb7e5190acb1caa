"""Merges LoRA factors into the matrices they were trained with, and drops peft's prefixes.

`peft.get_peft_model` renames what it wraps: the stem's tensors go under `base_model.model.`, a
wrapped layer's own tensors under `base_layer.`, and its factors under `lora_A.default` [r, in] and
`lora_B.default` [out, r]. The layer computes W x + scaling · B (A x), hence W + scaling · B A.
"""

from __future__ import annotations

import numpy as np

from sakedge.convert.config import Lora
from sakedge.convert.state import Array, Entries, Entry
from sakedge.errors import CheckpointError

_WRAPPER = "base_model.model."
_A, _B = ".lora_A.default.weight", ".lora_B.default.weight"


def merge_lora(entries: Entries, lora: Lora | None) -> tuple[Entries, int]:
    """Gives the entries their plain names, with factors merged in.

    Args:
        entries: A checkpoint's entries.
        lora: The configuration's `student.backbone.lora_config`, if it has one.

    Returns:
        The entries, and how many matrices had factors.

    Raises:
        CheckpointError: Factors without a configuration or base, or of the wrong shape.
    """
    merged: Entries = {}
    pairs: dict[str, tuple[Entry, Entry]] = {}
    for key, entry in entries.items():
        name = key.replace(_WRAPPER, "", 1).replace(".base_layer.", ".", 1)
        if key.endswith(_A):
            partner = entries.get(key.removesuffix(_A) + _B)
            if partner is None:
                raise CheckpointError(f"the checkpoint has {key} but not its lora_B")
            pairs[f"{name.removesuffix(_A)}.weight"] = (entry, partner)
        elif not key.endswith(_B):
            merged[name] = entry
    if pairs and lora is None:
        raise CheckpointError(
            "the checkpoint has LoRA factors, but the configuration does not say how to scale them",
            expected="student.backbone.lora_config with r and lora_alpha",
        )
    for name, (a, b) in pairs.items():
        if lora is None:
            break
        if name not in merged:
            raise CheckpointError(f"the checkpoint has LoRA factors for {name}, but not {name}")
        merged[name] = _merge(name, merged[name], a, b, lora)
    return merged, len(pairs)


def _merge(name: str, base: Entry, a: Entry, b: Entry, lora: Lora) -> Entry:
    """W + scaling · B A; a convolution's A has its kernel, its B is 1 x 1."""
    if lora.alpha_pattern or lora.rank_pattern:
        raise CheckpointError("LoRA with alpha_pattern or rank_pattern is not supported")
    kernel = base.shape[2:]
    expected_a = (lora.r, *base.shape[1:])
    expected_b = (base.shape[0], lora.r, *(1 for _ in kernel))
    if (a.shape, b.shape) != (expected_a, expected_b):
        raise CheckpointError(
            f"the LoRA factors of {name} have the wrong shapes",
            expected=f"{list(expected_a)} and {list(expected_b)}",
            got=f"{list(a.shape)} and {list(b.shape)}",
        )

    def read() -> Array:
        factor_a = a.read().reshape(lora.r, -1).astype(np.float64)
        factor_b = b.read().reshape(base.shape[0], lora.r).astype(np.float64)
        update = (factor_b @ factor_a).reshape(base.shape)
        return (base.read() + lora.scaling * update).astype(np.float32)

    return Entry(base.shape, read)
