"""Int8 weights: which tensors a component stored as int8 has, and what they stand for.

Of a matrix product the weight `W` is int8, one scale for each output channel beside it, `W.scale`,
float32 [outputs]; all other tensors of the component are float32. The stem's inputs are quantised
too, per tensor and once for all images: layer `L` has `L.input.scale`, float32, and
`L.input.zero_point`, uint8, both without axes. After the stem they are not: stock runtimes compute
there in floats, and our decoder quantises each token by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import TensorError
from sakedge.format.onnx.builder import output_axis
from sakedge.format.student.parts import Architecture, Storage, Stored
from sakedge.format.values import MOST_INT8, SMALLEST_SCALE, largest_magnitude

Tensors = Mapping[str, NDArray[Any]]
Dtypes = dict[str, tuple[str, tuple[int, ...]]]

MOST = MOST_INT8
"""Largest magnitude of a decoder's weight; -128 has no counterpart."""
STEM_MOST = 63
"""Largest magnitude of a stem's weight. Without VNNI runtimes add pairs of products of uint8 and
int8 in 16 bits (vpmaddubsw), which hold 2 · 255 · 63 = 32130 and not twice as much: with 8 bits
what a file computes would depend on the CPU."""

FLOATS = {"fp32": "float32", "fp16": "float16"}
"""NumPy dtype of weights that are stored as floats."""

LAYERS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
"""The matrix products of a block."""

_PRODUCT = re.compile(
    r"stem\.blocks\.\d+\.(attn\.(qkv|proj)|mlp\.(fc1|fc2))\.weight"
    r"|tsap\..+\.\d+\.(down|up)\.weight"
    r"|mor\.\d+\..+\.hidden\.weight"
    r"|heads\..+\.(linears\.\d+|fuse)\.weight"
)


def stem_layers(architecture: Architecture) -> tuple[str, ...]:
    """Names of the stem's matrix products, in the order in which they run."""
    blocks = range(architecture.blocks)
    return tuple(f"stem.blocks.{i}.{layer}" for i in blocks for layer in LAYERS)


def is_product(name: str) -> bool:
    """Whether a tensor is the weight of a matrix product that int8 storage quantises.

    Gates, the heads' last layers and the patch embedding are not: they are small, or lose much.
    """
    return _PRODUCT.fullmatch(name) is not None


def stored_tensors(
    component: str, shapes: Mapping[str, tuple[int, ...]], storage: Storage
) -> Dtypes:
    """A component's tensors as stored: NumPy dtype and shape of each, ascending by name.

    Args:
        component: Its name.
        shapes: Its tensors by canonical name, without those that come with int8.
        storage: The student's.
    """
    stored = storage.of(component)
    if stored != "int8":
        return {name: (FLOATS[stored], shapes[name]) for name in sorted(shapes)}
    tensors: Dtypes = {}
    for name, shape in shapes.items():
        layer = name.removesuffix(".weight")
        if not is_product(name) or layer in storage.floats:
            tensors[name] = ("float32", shape)
            continue
        tensors[name] = ("int8", shape)
        tensors[f"{name}.scale"] = ("float32", (shape[output_axis(shape)],))
        if component == "stem":
            tensors[f"{layer}.input.scale"] = ("float32", ())
            tensors[f"{layer}.input.zero_point"] = ("uint8", ())
    return dict(sorted(tensors.items()))


def quantised(name: str, weight: NDArray[Any], most: int) -> dict[str, NDArray[Any]]:
    """A weight as int8, symmetric, and its scales, one for each output channel.

    Args:
        name: Its canonical name.
        weight: [in, out] or [out, in, h, w].
        most: The largest magnitude, `MOST` or `STEM_MOST`.

    Returns:
        The weight under its name, int8 of the same shape, and the scales, float32 [out].
    """
    weight = np.asarray(weight, np.float32)
    axis = output_axis(weight.shape)
    others = tuple(i for i in range(weight.ndim) if i != axis)
    range_ = np.abs(weight).max(axis=others)
    # A channel of zeros, or of nothing that counts, has any scale.
    scale = np.where(range_ < SMALLEST_SCALE * most, 1, range_ / np.float32(most))
    scale = scale.astype(np.float32)
    cells = np.rint(weight / np.expand_dims(scale, others)).clip(-most, most).astype(np.int8)
    return {name: cells, f"{name}.scale": scale}


def as_floats(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """A component's tensors as if it were stored in floats; those that are stay as they are.

    Products of int8 and scale are rounded once, to float32, as DequantizeLinear does.
    """
    floats: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        if tensor.dtype == np.int8:
            axis = output_axis(tensor.shape)
            others = tuple(i for i in range(tensor.ndim) if i != axis)
            scale = np.expand_dims(tensors[f"{name}.scale"], others)
            floats[name] = np.multiply(tensor, scale, dtype=np.float32)
        elif not is_quantiser(name):
            floats[name] = tensor
    return floats


def stored_as(tensors: Tensors, stored: Stored) -> dict[str, NDArray[Any]]:
    """The tensors of an adapter, a router or a head in another storage.

    What is int8 already stays as it is where int8 is wanted: it is not rounded again.

    Args:
        tensors: In any storage.
        stored: The one wanted.

    Raises:
        TensorError: A weight does not fit in float16.
    """
    if stored == "int8":
        found: dict[str, NDArray[Any]] = {}
        for name, tensor in tensors.items():
            if tensor.dtype.kind == "f" and is_product(name):
                found |= quantised(name, tensor, MOST)
            else:
                found[name] = tensor if tensor.dtype == np.int8 else tensor.astype(np.float32)
        return found
    dtype = np.dtype(FLOATS[stored])
    floats, most = as_floats(tensors), float(np.finfo(dtype).max)
    for name, tensor in floats.items():
        largest = largest_magnitude(tensor)
        if largest > most:
            raise TensorError(
                f"tensor {name} does not fit in {stored}",
                expected=f"magnitudes of at most {most:g}",
                got=f"{largest:g}",
                remedy="Store it as fp32",
            )
    return {name: tensor.astype(dtype, copy=False) for name, tensor in floats.items()}


def is_quantiser(name: str) -> bool:
    """Whether a tensor is a scale or a zero point."""
    return name.endswith((".weight.scale", ".input.scale", ".input.zero_point"))
