"""A part's tensors as the graph model keeps them: checked, to be written into graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.snapshot import PartSource
from sakedge.errors import TensorError
from sakedge.format import Manifest
from sakedge.format.layout import Shapes, adapter_shapes, component_shapes
from sakedge.format.values import check_values

Tensors = Mapping[str, NDArray[Any]]
"""A component's tensors by canonical name, float32 or float16."""


def checked_tensors(source: PartSource, manifest: Manifest) -> Tensors:
    """A part's tensors, if they fit the student.

    Those of an adapter are copied: a pack's file may be written to after it was swapped in.

    Raises:
        TensorError: A tensor is missing, of another shape or type, or holds what is no number.
    """
    name, tensors = source.id.component, source.tensors()
    for key, shape in _shapes(source, manifest, tensors).items():
        tensor = tensors.get(key)
        if tensor is None:
            raise TensorError(f"{name} has no tensor {key!r}")
        if tensor.shape != shape or tensor.dtype not in (np.float32, np.float16):
            raise TensorError(
                f"tensor {key!r} does not fit",
                expected=f"float32 or float16 {list(shape)}",
                got=f"{tensor.dtype} {list(tensor.shape)}",
            )
        check_values(name, key, tensor, name)
    if source.id.kind == "adapter":
        return {key: tensor.copy() for key, tensor in tensors.items()}
    return tensors


def _shapes(source: PartSource, manifest: Manifest, tensors: Tensors) -> Shapes:
    """What a part's tensors must be; an adapter may have a bottleneck of its own width."""
    if source.id.kind != "adapter":
        return component_shapes(manifest)[source.id.component]
    name = source.id.name
    down = tensors.get(f"tsap.{name}.0.down.bias")
    hidden = 0 if down is None else down.size
    return adapter_shapes(manifest.architecture, manifest.levels, name, hidden)
