"""A part's tensors, checked and packed for the kernels, whichever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.snapshot import PartSource
from sakedge.errors import SakedgeError, TensorError
from sakedge.format import Manifest
from sakedge.tasks import TaskInfo

Tensors = Mapping[str, NDArray[Any]]
"""A component's tensors by canonical name, float32, float16 or int8 (`StudentFile.component`)."""

_Float32 = NDArray[np.float32]
_Pair = tuple[_Float32, _Float32]
_Layer = tuple[_Float32 | tuple[NDArray[np.int8], _Float32], _Float32]


@dataclass(frozen=True)
class Makers:
    """What makes parts of tensors that were checked.

    Attributes:
        arithmetic: Of the matrix products.
        floats: The arithmetic of parts that an int8 student stores as floats because they lost too
            much, where `arithmetic` is int8; else the same.
        adapter: From an arithmetic, the blocks and the norms.
        router: From an arithmetic and the levels.
        head: From an arithmetic, the linears, the fusing and the last layer.
        refusals: Around their calls: gives what they refuse its type.
    """

    arithmetic: str
    floats: str
    adapter: Callable[..., object]
    router: Callable[..., object]
    head: Callable[..., object]
    refusals: Callable[[str, type[SakedgeError]], AbstractContextManager[None]]


class Packer:
    """Packs the parts of one student for one precision.

    Args:
        manifest: The student's manifest.
        makers: What makes them.
    """

    def __init__(self, manifest: Manifest, makers: Makers) -> None:
        self._manifest = manifest
        self._makers = makers

    def part(self, source: PartSource) -> object:
        """A part.

        Raises:
            TensorError: A tensor is missing or has a wrong shape.
        """
        tensors = source.tensors()
        if source.base is not None:
            return self._regated(source.base, source.id.name, tensors)
        if source.id.kind == "adapter":
            return self._adapter(source.id.name, tensors)
        if source.id.kind == "router":
            return self._router(source.id.name, tensors)
        assert source.task is not None
        return self._head(source.task, tensors)

    def _head(self, task: TaskInfo, tensors: Tensors) -> object:
        """The head of a task."""
        prefix = f"heads.{task.name}"
        part = Reader(prefix, tensors)
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
        with self._makers.refusals(prefix, TensorError):
            return self._makers.head(
                self._arithmetic(prefix),
                linears,
                (fuse, fuse_bias),
                (last.reshape(classes, -1), last_bias),
            )

    def _router(self, task: str, tensors: Tensors) -> object:
        """The routers of a task, one per level."""
        component = f"routers.{task}"
        part = Reader(component, tensors)
        levels = [
            (
                part.layer(f"mor.{level}.{task}.hidden", 2),
                part.pair(f"mor.{level}.{task}.norm", 1),
                part.pair(f"mor.{level}.{task}.gate", 2),
            )
            for level in self._manifest.levels
        ]
        with self._makers.refusals(component, TensorError):
            return self._makers.router(self._arithmetic(component), levels)

    def _regated(self, router: Any, task: str, gates: Tensors) -> object:
        """The routers of a task with other gates; they share all else."""
        component = f"routers.{task}"
        part = Reader(component, gates)
        levels = [part.pair(f"mor.{level}.{task}.gate", 2) for level in self._manifest.levels]
        with self._makers.refusals(component, TensorError):
            regated: object = router.regated(levels)
            return regated

    def _adapter(self, name: str, tensors: Tensors) -> object:
        """The path of an adapter."""
        component = f"adapters.{name}"
        part = Reader(component, tensors)
        places = [f"tsap.{name}.{i}" for i in range(self._manifest.architecture.blocks + 1)]
        blocks = [(part.layer(f"{p}.down", 2), part.layer(f"{p}.up", 2)) for p in places]
        norms = [part.pair(f"norms.{level}.{name}", 1) for level in self._manifest.levels]
        with self._makers.refusals(component, TensorError):
            return self._makers.adapter(self._arithmetic(component), blocks, norms)

    def _arithmetic(self, component: str) -> str:
        lost_too_much = component in self._manifest.storage.floats
        return self._makers.floats if lost_too_much else self._makers.arithmetic


class Reader:
    """Reads one component's tensors, each as its makers take it."""

    def __init__(self, name: str, tensors: Tensors) -> None:
        self._name = name
        self._tensors = tensors

    def pair(self, prefix: str, rank: int) -> _Pair:
        """The weight, of that rank, and the bias under a prefix, as dense float32."""
        return self.floats(f"{prefix}.weight", rank), self.floats(f"{prefix}.bias", 1)

    def layer(self, prefix: str, rank: int) -> _Layer:
        """The same of a matrix product, whose weight may be int8; kernels as matrices [out, …]."""
        name = f"{prefix}.weight"
        tensor, bias = self._tensor(name, rank), self.floats(f"{prefix}.bias", 1)
        shape = tensor.shape if rank == 2 else (len(tensor), -1)
        if tensor.dtype != np.int8:
            return self.floats(name, rank).reshape(shape), bias
        scales = self.floats(f"{name}.scale", 1)
        return (np.ascontiguousarray(tensor).reshape(shape), scales), bias

    def floats(self, name: str, rank: int) -> _Float32:
        """A tensor of that rank, as dense float32.

        Raises:
            TensorError: It is missing, or does not fit.
        """
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
