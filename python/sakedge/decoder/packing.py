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
"""A component's tensors by canonical name, float32, float16 or int8 (`StudentFile.component`)."""

_Float32 = NDArray[np.float32]
_Pair = tuple[_Float32, _Float32]
_Layer = tuple[_Float32 | tuple[NDArray[np.int8], _Float32], _Float32]


class Packer:
    """Packs the parts of one student for one precision.

    Args:
        manifest: The student's manifest.
        precision: One of `ARITHMETICS`. At int8 a part that an int8 student stores as fp32, because
            it lost too much, is computed in fp32.

    Attributes:
        geometry: The sizes that all parts share.
    """

    def __init__(self, manifest: Manifest, precision: str) -> None:
        self._manifest = manifest
        self._precision = precision
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
        fuse, fuse_bias = part.layer(f"{prefix}.fuse", 4)
        last, last_bias = part.pair(f"{prefix}.last", 4)
        shape, classes = tensors[f"{prefix}.fuse.weight"].shape, task.classes
        if shape[2:] != (3, 3) or last.shape[2:] != (1, 1) or last.shape[0] != classes:
            raise TensorError(
                f"the head of task {task.name!r} does not fit the task",
                expected=f"fuse [F, Z, 3, 3] and last [{classes}, F, 1, 1]",
                got=f"{list(shape)} and {list(last.shape)}",
            )
        linears = [part.layer(f"{prefix}.linears.{j}", 2) for j in levels]
        with refusals(prefix, TensorError):
            return _core.Head(
                self.geometry,
                self._arithmetic(prefix),
                linears,
                (fuse, fuse_bias),
                (last.reshape(classes, -1), last_bias),
            )

    def router(self, task: str, tensors: Tensors) -> _core.Router:
        """The routers of a task, one per level."""
        component = f"routers.{task}"
        part = _Part(component, tensors)
        levels = [
            (
                part.layer(f"mor.{level}.{task}.hidden", 2),
                part.pair(f"mor.{level}.{task}.norm", 1),
                part.pair(f"mor.{level}.{task}.gate", 2),
            )
            for level in self._manifest.levels
        ]
        with refusals(component, TensorError):
            return _core.Router(self.geometry, self._arithmetic(component), levels)

    def regated(self, router: _core.Router, task: str, gates: Tensors) -> _core.Router:
        """The routers of a task with other gates; they share all else."""
        component = f"routers.{task}"
        part = _Part(component, gates)
        levels = [part.pair(f"mor.{level}.{task}.gate", 2) for level in self._manifest.levels]
        with refusals(component, TensorError):
            return router.regated(levels)

    def adapter(self, name: str, tensors: Tensors) -> _core.AdapterPath:
        """The path of an adapter."""
        component = f"adapters.{name}"
        part = _Part(component, tensors)
        places = [f"tsap.{name}.{i}" for i in range(self._manifest.architecture.blocks + 1)]
        blocks = [(part.layer(f"{p}.down", 2), part.layer(f"{p}.up", 2)) for p in places]
        norms = [part.pair(f"norms.{level}.{name}", 1) for level in self._manifest.levels]
        with refusals(component, TensorError):
            return _core.AdapterPath(self.geometry, self._arithmetic(component), blocks, norms)

    def _arithmetic(self, component: str) -> str:
        lost_too_much = component in self._manifest.storage.floats
        is_float = self._precision == "int8" and lost_too_much
        return ARITHMETICS["fp32" if is_float else self._precision]


class _Part:
    """Reads one part's tensors."""

    def __init__(self, name: str, tensors: Tensors) -> None:
        self._name = name
        self._tensors = tensors

    def pair(self, prefix: str, rank: int) -> _Pair:
        """The weight, of that rank, and the bias under a prefix, as dense float32."""
        return self._floats(f"{prefix}.weight", rank), self._floats(f"{prefix}.bias", 1)

    def layer(self, prefix: str, rank: int) -> _Layer:
        """The same of a matrix product, whose weight may be int8; kernels as matrices [out, …]."""
        name = f"{prefix}.weight"
        tensor, bias = self._tensor(name, rank), self._floats(f"{prefix}.bias", 1)
        shape = tensor.shape if rank == 2 else (len(tensor), -1)
        if tensor.dtype != np.int8:
            return self._floats(name, rank).reshape(shape), bias
        scales = self._floats(f"{name}.scale", 1)
        return (np.ascontiguousarray(tensor).reshape(shape), scales), bias

    def _floats(self, name: str, rank: int) -> _Float32:
        tensor = self._tensor(name, rank)
        if tensor.dtype not in (np.float32, np.float16):
            raise self._misfit(name, rank, "float32 or float16")
        return np.ascontiguousarray(tensor, np.float32)

    def _tensor(self, name: str, rank: int) -> NDArray[Any]:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise TensorError(f"{self._name} has no tensor {name!r}")
        if tensor.ndim != rank or tensor.dtype not in (np.float32, np.float16, np.int8):
            raise self._misfit(name, rank, "float32, float16 or int8")
        return tensor

    def _misfit(self, name: str, rank: int, dtypes: str) -> TensorError:
        tensor = self._tensors[name]
        return TensorError(
            f"tensor {name!r} does not fit",
            expected=f"{dtypes} with {rank} axes",
            got=f"{tensor.dtype} {list(tensor.shape)}",
        )
