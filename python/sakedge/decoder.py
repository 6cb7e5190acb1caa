"""The pass after the stem: routers, adapter paths, mixture, heads and decoding, in C++.

The only importer of the compiled module. It checks arguments and gives every failure its type; the
arithmetic and its order are in csrc/decoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge import _core
from sakedge.errors import (
    IsaError,
    OptionError,
    SakedgeError,
    TensorError,
    UnknownAdapterError,
    UnknownTaskError,
)
from sakedge.format import Manifest
from sakedge.selection import pick
from sakedge.window import Window

__all__ = [
    "ARITHMETICS",
    "Arithmetic",
    "Decoded",
    "Decoder",
    "TaskOutput",
    "Window",
    "arithmetics",
    "isa",
    "isas",
]

ARITHMETICS = {"fp32": "f32", "bf16": "bf16", "int8": "s8"}
"""Precision of the matrix products → what the kernels call it. All else is always float32."""

Tensors = Mapping[str, NDArray[Any]]
"""A component's tensors by canonical name, float32 or float16 (`StudentFile.component`)."""

_MOST_THREADS = 1024

_Float32 = NDArray[np.float32]
_Pair = tuple[_Float32, _Float32]


def isa() -> str:
    """Name of the instruction set whose kernels are in use.

    Raises:
        IsaError: SAKEDGE_ISA names one that is unknown or that this CPU lacks.
    """
    try:
        return _core.isa()
    except _core.CoreError as error:
        raise _isa_error(error) from None


def isas() -> tuple[tuple[str, bool, str], ...]:
    """Every compiled-in instruction set, best first: name, whether it runs here, why not."""
    return tuple(_core.isas())


@dataclass(frozen=True)
class Arithmetic:
    """What serves one precision on this CPU.

    Attributes:
        isa: The instruction set whose kernels compute it.
        native: Whether that has instructions for it. Otherwise it is composed of wider arithmetic:
            right, but not worth choosing for its speed.
    """

    isa: str
    native: bool


def arithmetics() -> dict[str, Arithmetic]:
    """What serves each precision of `ARITHMETICS`.

    Raises:
        IsaError: See `isa`.
    """
    isa()
    found = _core.arithmetics()
    return {name: Arithmetic(*found[core]) for name, core in ARITHMETICS.items()}


@dataclass(frozen=True)
class TaskOutput:
    """One task on one image.

    Attributes:
        values: Decoded on the image's window [h, w]: uint8 labels (uint16 for more than 256
            classes), float32 probability or scalar, or float32 unit vectors [h, w, 3]. None when
            decoding was not asked for.
        logits: float32 [classes, H, W] at the student's input size, or None when not asked for.
    """

    values: NDArray[Any] | None
    logits: _Float32 | None


@dataclass(frozen=True)
class Decoded:
    """What a run returns.

    Attributes:
        images: For each image, the outputs by task.
        routing: For each image and task, float32 [levels, 1 + T] expert weights: stem first, then
            the manifest's adapters; 0 for one that was not there.
    """

    images: list[dict[str, TaskOutput]]
    routing: list[dict[str, _Float32]]


class Decoder:
    """The packed weights of some tasks and adapters; runs them on the stem's outputs.

    Safe from any number of threads, exchanges included. Results are the same bits whatever the
    number of threads.

    Args:
        manifest: The student's manifest.
        tasks: The tasks to hold, in any order.
        routers: Tensors of `routers.<task>` for each task; empty if the student has no routers.
        heads: Tensors of `heads.<task>` for each task.
        adapters: Tensors of `adapters.<name>` for each adapter to begin with.
        threads: Threads of one run, the caller's included; at least 1.
        precision: Arithmetic of the matrix products, one of `ARITHMETICS`; the weights are rounded
            to it here.

    Raises:
        UnknownTaskError: A task that the manifest does not have.
        UnknownAdapterError: An adapter that the manifest does not have.
        TensorError: A tensor is missing or its shape does not fit the others.
        OptionError: `threads` is out of range, or there is no such precision.
        IsaError: See `isa`.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        tasks: Sequence[str],
        routers: Mapping[str, Tensors],
        heads: Mapping[str, Tensors],
        adapters: Mapping[str, Tensors],
        threads: int,
        precision: str = "fp32",
    ) -> None:
        if precision not in ARITHMETICS:
            raise OptionError(
                "unknown precision of the decoder",
                expected=f"one of {', '.join(ARITHMETICS)}",
                got=repr(precision),
            )
        if not 1 <= threads <= _MOST_THREADS:
            raise OptionError(
                "threads is out of range", expected=f"1 to {_MOST_THREADS}", got=str(threads)
            )
        isa()  # a wrong SAKEDGE_ISA is told before any other problem
        self._manifest = manifest
        self._arithmetic = ARITHMETICS[precision]
        self._tasks = pick("task", tasks, manifest.task_names, UnknownTaskError)
        self._geometry = _core.Geometry(
            channels=manifest.architecture.width,
            blocks=manifest.architecture.blocks,
            levels=manifest.levels,
            grid=manifest.grid,
            input_size=manifest.input_size,
            adapters=len(manifest.adapters),
        )
        kinds = {task.name: task.kind for task in manifest.tasks}
        parts = [
            (kinds[task], self._pack_head(task, heads), self._pack_router(task, routers))
            for task in self._tasks
        ]
        self._core = _core.Decoder(self._geometry, self._arithmetic, parts, threads)
        for name, tensors in adapters.items():
            self.exchange(name, tensors)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that it holds."""
        return self._tasks

    @property
    def adapters(self) -> tuple[str, ...]:
        """The adapters that it holds now, in expert order."""
        here = self._core.present()
        return tuple(
            n for n, there in zip(self._manifest.adapter_names, here, strict=True) if there
        )

    def exchange(self, name: str, tensors: Tensors | None) -> None:
        """Puts an adapter in its place, or takes it away; runs under way keep what they have.

        Args:
            name: An adapter of the manifest.
            tensors: Its tensors, or None to remove it.

        Raises:
            UnknownAdapterError: The manifest has no adapter of that name.
            TensorError: A tensor is missing or has a wrong shape; nothing was exchanged.
        """
        pick("adapter", name, self._manifest.adapter_names, UnknownAdapterError)
        path = None if tensors is None else self._pack_adapter(name, tensors)
        self._core.exchange(self._manifest.adapter_names.index(name), path)

    def run(
        self,
        features: Sequence[_Float32],
        *,
        tasks: Sequence[str],
        adapters: Sequence[Sequence[str]],
        windows: Sequence[Window],
        logits: bool = False,
        decode: bool = True,
        min_weight: float = 0.0,
    ) -> Decoded:
        """Runs on one snapshot of the adapters.

        Args:
            features: The stem's outputs x0 … xD, each float32 [batch, 1 + tokens, C].
            tasks: The tasks to run; the others cost nothing.
            adapters: For each image, the adapters to use.
            windows: For each image, where the decoded outputs lie on the input.
            logits: Whether to return the logits at the input's size.
            decode: Whether to decode; without it and without logits only the routing is computed.
            min_weight: An adapter whose routing weight at a task and level is below this adds
                nothing there, and its path stops where nothing further needs it. The other weights
                stay as they are: they are not scaled up to sum to one. 0 is exact.

        Raises:
            UnknownTaskError: A task that the decoder does not hold.
            UnknownAdapterError: An adapter that the decoder does not hold (any more).
            OptionError: Shapes, batch sizes or numbers do not fit.
        """
        tasks = pick("task", tasks, self._tasks, UnknownTaskError)
        maps = self._checked_features(features, len(windows))
        wanted = self._adapter_mask(adapters, len(windows))
        if not (math.isfinite(min_weight) and 0.0 <= min_weight <= 1.0):
            raise OptionError("min_weight is out of range", expected="0 to 1", got=str(min_weight))
        try:
            values, all_logits, routing = self._core.run(
                features=maps,
                tasks=[self._tasks.index(task) for task in tasks],
                wanted=wanted,
                windows=[_window_arguments(window) for window in windows],
                decode=decode,
                logits=logits,
                min_weight=min_weight,
            )
        except _core.CoreError as error:
            raise self._run_error(error) from None
        outputs = iter(zip(values, all_logits, strict=True))
        return Decoded(
            images=[{task: TaskOutput(*next(outputs)) for task in tasks} for _ in windows],
            routing=[dict(zip(tasks, image, strict=True)) for image in routing],
        )

    def _checked_features(self, features: Sequence[_Float32], batch: int) -> list[_Float32]:
        rows, columns = self._manifest.grid
        arch = self._manifest.architecture
        expected = (batch, 1 + rows * columns, arch.width)
        if len(features) != arch.blocks + 1:
            raise OptionError(
                "the number of stem outputs does not fit",
                expected=f"{arch.blocks + 1} (x0 to x{arch.blocks})",
                got=str(len(features)),
            )
        for i, x in enumerate(features):
            if not isinstance(x, np.ndarray) or x.shape != expected or x.dtype != np.float32:
                raise OptionError(
                    f"stem output x{i} does not fit the {batch} windows and the manifest",
                    expected=f"a float32 array {list(expected)}",
                    got=_describe(x),
                )
        return [np.ascontiguousarray(x) for x in features]

    def _adapter_mask(self, adapters: Sequence[Sequence[str]], batch: int) -> NDArray[np.uint8]:
        names = self._manifest.adapter_names
        if len(adapters) != batch:
            raise OptionError(
                "adapters do not fit the batch",
                expected=f"{batch} lists of names, one per image",
                got=str(len(adapters)),
            )
        mask = np.zeros((batch, len(names)), np.uint8)
        for image, wanted in enumerate(adapters):
            for name in pick("adapter", wanted, names, UnknownAdapterError):
                mask[image, names.index(name)] = 1
        return mask

    def _run_error(self, error: _core.CoreError) -> SakedgeError:
        code, message = error.args
        if code != "adapter_absent":
            return OptionError(message)
        return UnknownAdapterError(
            f"adapter {self._manifest.adapter_names[int(message)]!r} is not loaded",
            expected=", ".join(self.adapters) or "no adapter at all",
            remedy="Load it first, or leave it out of this call",
        )

    def _pack_head(self, task: str, heads: Mapping[str, Tensors]) -> _core.Head:
        part = _Part(f"heads.{task}", _of_task(heads, task, "head"))
        prefix = f"heads.{task}"
        levels = range(len(self._manifest.levels))
        fuse, fuse_bias = part.pair(f"{prefix}.fuse", 4)
        last, last_bias = part.pair(f"{prefix}.last", 4)
        classes = next(t.classes for t in self._manifest.tasks if t.name == task)
        if fuse.shape[2:] != (3, 3) or last.shape[2:] != (1, 1) or last.shape[0] != classes:
            raise TensorError(
                f"the head of task {task!r} does not fit the manifest",
                expected=f"fuse [F, Z, 3, 3] and last [{classes}, F, 1, 1]",
                got=f"{list(fuse.shape)} and {list(last.shape)}",
            )
        with part:
            return _core.Head(
                self._geometry,
                self._arithmetic,
                [part.pair(f"{prefix}.linears.{j}", 2) for j in levels],
                (fuse.reshape(len(fuse), -1), fuse_bias),
                (last.reshape(classes, -1), last_bias),
            )

    def _pack_router(self, task: str, routers: Mapping[str, Tensors]) -> _core.Router | None:
        if self._manifest.architecture.router == "none":
            return None
        part = _Part(f"routers.{task}", _of_task(routers, task, "router"))
        levels = [f"mor.{level}.{task}" for level in self._manifest.levels]
        with part:
            return _core.Router(
                self._geometry,
                self._arithmetic,
                [
                    (
                        part.pair(f"{level}.hidden", 2),
                        part.pair(f"{level}.norm", 1),
                        part.pair(f"{level}.gate", 2),
                    )
                    for level in levels
                ],
            )

    def _pack_adapter(self, name: str, tensors: Tensors) -> _core.AdapterPath:
        part = _Part(f"adapters.{name}", tensors)
        blocks = [f"tsap.{name}.{i}" for i in range(self._manifest.architecture.blocks + 1)]
        with part:
            return _core.AdapterPath(
                self._geometry,
                self._arithmetic,
                [(part.pair(f"{b}.down", 2), part.pair(f"{b}.up", 2)) for b in blocks],
                [part.pair(f"norms.{level}.{name}", 1) for level in self._manifest.levels],
            )


class _Part:
    """Reads one component's tensors; as a context it names the component in what goes wrong."""

    def __init__(self, name: str, tensors: Tensors) -> None:
        self._name = name
        self._tensors = tensors

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _core.CoreError):
            raise TensorError(f"{self._name} has shapes that do not fit: {error.args[1]}") from None

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


def _describe(x: object) -> str:
    return f"{x.dtype} {list(x.shape)}" if isinstance(x, np.ndarray) else type(x).__name__


def _of_task(parts: Mapping[str, Tensors], task: str, what: str) -> Tensors:
    if task not in parts:
        raise TensorError(f"no {what} was given for task {task!r}")
    return parts[task]


def _window_arguments(window: Window) -> tuple[int, int, float, float, float, float]:
    numbers = (window.top, window.left, window.scale_y, window.scale_x)
    if window.height < 1 or window.width < 1 or not all(math.isfinite(x) for x in numbers):
        raise OptionError(
            "a window is out of range",
            expected="at least one pixel and finite coordinates",
            got=str(window),
        )
    return (window.height, window.width, *numbers)


def _isa_error(error: _core.CoreError) -> IsaError:
    code, message = error.args
    if code == "isa_unknown":
        return IsaError(
            "SAKEDGE_ISA names no instruction set of this build",
            expected=message,
            remedy="Unset it to let sakedge choose",
        )
    return IsaError(
        f"SAKEDGE_ISA cannot be followed: {message}",
        remedy="Unset it, or choose one that `sakedge doctor` lists as supported",
    )
