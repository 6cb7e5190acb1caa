"""A part's tensors, checked and packed for the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge import _core
from sakedge.decoder.instructions import ARITHMETICS
from sakedge.decoder.refusals import refusals
from sakedge.errors import ManifestError, TensorError
from sakedge.format import Manifest
from sakedge.tasks import TaskInfo

Tensors = Mapping[str, NDArray[Any]]
"""A component's tensors by canonical name, float32 or float16 (`StudentFile.component`)."""

_Float32 = NDArray[np.float32]
_Pair = tuple[_Float32, _Float32]


class Packer:
    """Packs the parts of one student for one precision.

    Args:
        manifest: The student's manifest.
        precision: One of `ARITHMETICS`.

    Attributes:
        geometry: The sizes that all parts share.
        arithmetic: The kernels' arithmetic at that precision.
    """

    def __init__(self, manifest: Manifest, precision: str) -> None:
        self._manifest = manifest
        self.arithmetic = ARITHMETICS[precision]
        with refusals("the manifest's sizes", ManifestError):
            self.geometry = _core.Geometry(
                channels=manifest.architecture.width,
                blocks=manifest.architecture.blocks,
                levels=manifest.levels,
                grid=manifest.grid,
                input_size=manifest.input_size,
            )

    def head(self, task: TaskInfo, tensors: Tensors) -> _core.Head:
        """The head of a task."""
        prefix = f"heads.{task.name}"
        part = _Part(prefix, tensors)
        levels = range(len(self._manifest.levels))
        fuse, fuse_bias = part.pair(f"{prefix}.fuse", 4)
        last, last_bias = part.pair(f"{prefix}.last", 4)
        classes = task.classes
        if fuse.shape[2:] != (3, 3) or last.shape[2:] != (1, 1) or last.shape[0] != classes:
            raise TensorError(
                f"the head of task {task.name!r} does not fit the task",
                expected=f"fuse [F, Z, 3, 3] and last [{classes}, F, 1, 1]",
                got=f"{list(fuse.shape)} and {list(last.shape)}",
            )
        linears = [part.pair(f"{prefix}.linears.{j}", 2) for j in levels]
        with refusals(prefix, TensorError):
            return _core.Head(
                self.geometry,
                self.arithmetic,
                linears,
                (fuse.reshape(len(fuse), -1), fuse_bias),
                (last.reshape(classes, -1), last_bias),
            )

    def router(self, task: str, tensors: Tensors) -> _core.Router:
        """The routers of a task, one per level."""
        part = _Part(f"routers.{task}", tensors)
        levels = [
            (
                part.pair(f"mor.{level}.{task}.hidden", 2),
                part.pair(f"mor.{level}.{task}.norm", 1),
                part.pair(f"mor.{level}.{task}.gate", 2),
            )
            for level in self._manifest.levels
        ]
        with refusals(f"routers.{task}", TensorError):
            return _core.Router(self.geometry, self.arithmetic, levels)

    def adapter(self, name: str, tensors: Tensors) -> _core.AdapterPath:
        """The path of an adapter."""
        part = _Part(f"adapters.{name}", tensors)
        places = [f"tsap.{name}.{i}" for i in range(self._manifest.architecture.blocks + 1)]
        blocks = [(part.pair(f"{p}.down", 2), part.pair(f"{p}.up", 2)) for p in places]
        norms = [part.pair(f"norms.{level}.{name}", 1) for level in self._manifest.levels]
        with refusals(f"adapters.{name}", TensorError):
            return _core.AdapterPath(self.geometry, self.arithmetic, blocks, norms)


class _Part:
    """Reads one part's tensors."""

    def __init__(self, name: str, tensors: Tensors) -> None:
        self._name = name
        self._tensors = tensors

    def pair(self, prefix: str, rank: int) -> _Pair:
        """The weight, of that rank, and the bias under a prefix, as dense float32."""
        return self._tensor(f"{prefix}.weight", rank), self._tensor(f"{prefix}.bias", 1)

    def _tensor(self, name: str, rank: int) -> _Float32:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise TensorError(f"{self._name} has no tensor {name!r}")
        if tensor.ndim != rank or tensor.dtype not in (np.float32, np.float16):
            raise TensorError(
                f"tensor {name!r} does not fit",
                expected=f"float32 or float16 with {rank} axes",
                got=f"{tensor.dtype} {list(tensor.shape)}",
            )
        return np.ascontiguousarray(tensor, np.float32)
