"""The decoder of one student: arguments checked, every failure given its type."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge import _core
from sakedge.arguments import in_range, pick
from sakedge.decoder.instructions import ARITHMETICS, isa
from sakedge.decoder.packing import Packer, Tensors
from sakedge.errors import OptionError, SakedgeError, UnknownAdapterError, UnknownTaskError
from sakedge.format import Manifest
from sakedge.images.window import Window

_MOST_THREADS = 1024

_Float32 = NDArray[np.float32]


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
        in_range("threads", threads, low=1, high=_MOST_THREADS, whole=True)
        isa()  # a wrong SAKEDGE_ISA is told before any other problem
        self._manifest = manifest
        self._tasks = pick("task", tasks, manifest.task_names, UnknownTaskError)
        self._packer = Packer(manifest, precision)
        kinds = {task.name: task.kind for task in manifest.tasks}
        parts = [
            (kinds[task], self._packer.head(task, heads), self._packer.router(task, routers))
            for task in self._tasks
        ]
        self._core = _core.Decoder(self._packer.geometry, self._packer.arithmetic, parts, threads)
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
        path = None if tensors is None else self._packer.adapter(name, tensors)
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
        in_range("min_weight", min_weight, low=0, high=1)
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


def _describe(x: object) -> str:
    return f"{x.dtype} {list(x.shape)}" if isinstance(x, np.ndarray) else type(x).__name__


def _window_arguments(window: Window) -> tuple[int, int, float, float, float, float]:
    numbers = (window.top, window.left, window.scale_y, window.scale_x)
    if window.height < 1 or window.width < 1 or not all(math.isfinite(x) for x in numbers):
        raise OptionError(
            "a window is out of range",
            expected="at least one pixel and finite coordinates",
            got=str(window),
        )
    return (window.height, window.width, *numbers)
