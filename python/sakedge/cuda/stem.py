"""The stem's tensors as the compiled module takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sakedge import _cuda
from sakedge.cuda.refusals import refusals
from sakedge.decoder import Reader, Tensors
from sakedge.errors import TensorError
from sakedge.format import Manifest
from sakedge.format.student.int8 import as_floats


def make_stem(
    device: _cuda.Device,
    geometry: _cuda.Geometry,
    arithmetic: str,
    manifest: Manifest,
    tensors: Tensors,
) -> _cuda.Stem:
    """Uploads a stem.

    Args:
        device: Where to.
        geometry: The student's sizes.
        arithmetic: Of its products; weights that are stored as int8 stay so at `s8` alone.
        manifest: The student's.
        tensors: As stored.

    Raises:
        TensorError: A tensor does not fit.
        DeviceMemoryError: The device has too little memory left.
    """
    part = Reader("stem", tensors if arithmetic == "s8" else as_floats(tensors))
    patch, bias = part.pair("stem.patch_embed", 4)
    tokens = {
        name: np.ascontiguousarray(part.floats(f"stem.{name}", 3)[0])
        for name in ("cls_token", "pos_embed")
    }

    def block(i: int) -> tuple[Any, ...]:
        name = f"stem.blocks.{i}"
        return (
            part.pair(f"{name}.norm1", 1),
            part.layer(f"{name}.attn.qkv", 2),
            part.layer(f"{name}.attn.proj", 2),
            part.pair(f"{name}.norm2", 1),
            part.layer(f"{name}.mlp.fc1", 2),
            part.layer(f"{name}.mlp.fc2", 2),
        )

    blocks: list[Any] = [block(i) for i in range(manifest.architecture.blocks)]
    with refusals("the stem", TensorError):
        return _cuda.Stem(
            device,
            geometry,
            arithmetic,
            (patch.reshape(len(patch), -1), bias),
            tokens["cls_token"][0],
            tokens["pos_embed"],
            blocks,
        )
