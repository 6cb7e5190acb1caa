"""A part's tensors as the graph model keeps them: checked, to be written into graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.snapshot import PartSource
from sakedge.errors import TensorError
from sakedge.format import Manifest
from sakedge.format.layout import Shapes, adapter_shapes, component_shapes, router_shapes
from sakedge.format.onnx.builder import output_axis
from sakedge.format.student.int8 import is_product
from sakedge.format.values import check_values

Tensors = Mapping[str, NDArray[Any]]
"""A component's tensors by canonical name, float32, float16 or int8 (`StudentFile.component`)."""


def checked_tensors(source: PartSource, manifest: Manifest) -> Tensors:
    """A part's tensors, if they fit the student.

    Those of an adapter are copied: a pack's file may be written to after it was swapped in.

    Raises:
        TensorError: A tensor is missing, of another shape or type, or holds what is no number.
    """
    name, tensors = source.id.component, source.tensors()
    for key, shape in _shapes(source, manifest, tensors).items():
        able = ("float32", "float16", *(("int8",) if is_product(key) else ()))
        if _check(name, tensors, key, shape, able).dtype == np.int8:
            _check(name, tensors, f"{key}.scale", (shape[output_axis(shape)],), ("float32",))
    if source.id.kind == "adapter":
        return {key: tensor.copy() for key, tensor in tensors.items()}
    return tensors


def _check(
    name: str, tensors: Tensors, key: str, shape: tuple[int, ...], able: tuple[str, ...]
) -> NDArray[Any]:
    """The tensor under a key, of that shape and of one of those types."""
    tensor = tensors.get(key)
    if tensor is None:
        raise TensorError(f"{name} has no tensor {key!r}")
    if tensor.shape != shape or tensor.dtype.name not in able:
        raise TensorError(
            f"tensor {key!r} does not fit",
            expected=f"{' or '.join(able)} {list(shape)}",
            got=f"{tensor.dtype} {list(tensor.shape)}",
        )
    check_values(name, key, tensor, name)
    return tensor


def _shapes(source: PartSource, manifest: Manifest, tensors: Tensors) -> Shapes:
    """What a part's tensors must be.

    An adapter may have a bottleneck of its own width, a router experts of its own.
    """
    name = source.id.name
    if source.id.kind == "head":
        return component_shapes(manifest)[source.id.component]
    if source.id.kind == "router":
        experts = 1 + len(source.experts)
        return router_shapes(manifest.architecture, manifest.levels, name, experts)
    down = tensors.get(f"tsap.{name}.0.down.bias")
    hidden = 0 if down is None else down.size
    return adapter_shapes(manifest.architecture, manifest.levels, name, hidden)
