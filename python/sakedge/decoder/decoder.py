"""The decoder of one student: arguments checked, every failure given its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge import _core
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.arguments import in_range, one_of
from sakedge.decoder.instructions import ARITHMETICS, isa
from sakedge.decoder.packing import Makers, Packer
from sakedge.decoder.pool import thread_pool
from sakedge.decoder.refusals import refusals
from sakedge.decoder.window import window_arguments
from sakedge.errors import ManifestError, OptionError
from sakedge.format import Manifest
from sakedge.images.window import Window
from sakedge.tasks import KINDS

_Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Decoded:
    """What one image's run gives. A mapping that was not asked for is empty.

    Attributes:
        values: By task, decoded on the image's window [h, w]: uint8 labels (uint16 for more than
            256 classes), float32 probability or scalar, or float32 unit vectors [h, w, 3].
        logits: By task, float32 [classes, H, W] at the student's input size.
        maps: By task, float32 [H/4, W/4, classes]: what both are sampled from.
        routing: By task, float32 [levels, experts]: the stem first, then the snapshot's slots; 0
            for an adapter that takes no part.
        finite: Whether nothing overflowed: neither the stem's outputs nor a map hold NaN or
            infinity, nor numbers whose squares would overflow. If not, the rest means nothing.
    """

    values: Mapping[str, NDArray[Any]]
    logits: Mapping[str, _Float32]
    maps: Mapping[str, _Float32]
    routing: Mapping[str, _Float32]
    finite: bool = True

    @classmethod
    def of(
        cls,
        tasks: tuple[str, ...],
        values: Sequence[NDArray[Any]],
        logits: Sequence[_Float32],
        maps: Sequence[_Float32],
        routing: _Float32,
        finite: bool,
    ) -> Decoded:
        """What a compiled module returns, by the tasks of its snapshot."""
        return cls(
            dict(zip(tasks, values, strict=False)),
            dict(zip(tasks, logits, strict=False)),
            dict(zip(tasks, maps, strict=False)),
            dict(zip(tasks, routing, strict=True)),
            finite,
        )


class Decoder:
    """Runs the parts of snapshots on the stem's outputs.

    Holds no weights. Safe from any number of threads; results are bit-identical for any number of
    threads.

    Args:
        manifest: The student's manifest.
        threads: Threads to compute with.
        precision: Of the matrix products, one of `ARITHMETICS`.

    Attributes:
        pool: The threads.

    Raises:
        OptionError: `threads` is out of range, or there is no such precision.
        IsaError: See `isa`.
    """

    def __init__(self, manifest: Manifest, *, threads: int, precision: str = "fp32") -> None:
        one_of("precision of the decoder", precision, tuple(ARITHMETICS))
        isa()  # a wrong SAKEDGE_ISA is reported before any other problem
        self.pool = thread_pool(threads)
        self._manifest = manifest
        with refusals("the manifest's sizes", ManifestError):
            geometry = _core.Geometry(
                channels=manifest.architecture.width,
                blocks=manifest.architecture.blocks,
                levels=manifest.levels,
                grid=manifest.grid,
                input_size=manifest.input_size,
            )
        self._packer = Packer(manifest, _makers(geometry, precision))
        self._core = _core.Decoder(geometry, self.pool)

    def prepare(self, source: PartSource) -> object:
        """Packs a part for the kernels.

        Raises:
            TensorError: A tensor is missing or has a wrong shape.
        """
        return self._packer.part(source)

    def run(
        self,
        stem: Sequence[_Float32],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        *,
        rows: Sequence[int] | None = None,
        values: bool = True,
        logits: bool = False,
        maps: bool = False,
        min_weight: float = 0.0,
    ) -> list[Decoded]:
        """Runs snapshots on images: the tasks that have a head in one, its adapters.

        Args:
            stem: The stem's outputs x0 … xD, each float32 [batch, 1 + tokens, C].
            snapshots: What to run; their parts were prepared by this decoder.
            windows: For each, where the decoded outputs lie on the input.
            rows: For each, its image's number in the batch: one pass of the stem serves as many
                snapshots as are wanted. None is one for each image.
            values: Whether to decode.
            logits: Whether to return the logits at the input's size.
            maps: Whether to return the maps at a quarter of it. Without any of the three only the
                routing is computed.
            min_weight: An adapter whose routing weight at a task and level is below this adds
                nothing there, and its path stops where nothing further needs it. The other weights
                are not rescaled to sum to one. 0 is exact.

        Raises:
            OptionError: Shapes, batch sizes, parts or numbers do not fit.
        """
        in_range("min_weight", min_weight, low=0, high=1)
        if len(snapshots) != len(windows):
            raise OptionError(
                "snapshots and windows do not fit each other",
                expected=f"{len(windows)} snapshots, one per window",
                got=str(len(snapshots)),
            )
        rows = range(len(windows)) if rows is None else rows
        checked = self._checked(stem, max(rows, default=-1) + 1)
        numbers = [window_arguments(window) for window in windows]
        with refusals("a call of the decoder"):
            found = self._core.run(
                stem=checked,
                rows=list(rows),
                snapshots=[_core.Snapshot(*handles(snapshot)) for snapshot in snapshots],
                windows=numbers,
                values=values,
                logits=logits,
                maps=maps,
                min_weight=min_weight,
            )
        return [
            Decoded.of(tuple(snapshot.heads), *arrays)
            for snapshot, arrays in zip(snapshots, found, strict=True)
        ]

    def _checked(self, stem: Sequence[_Float32], batch: int) -> list[_Float32]:
        rows, columns = self._manifest.grid
        arch = self._manifest.architecture
        expected = (batch, 1 + rows * columns, arch.width)
        if not isinstance(stem, Sequence) or len(stem) != arch.blocks + 1:
            raise OptionError(
                "the number of stem outputs does not fit",
                expected=f"{arch.blocks + 1} (x0 to x{arch.blocks})",
                got=str(len(stem)) if isinstance(stem, Sequence) else type(stem).__name__,
            )
        for i, x in enumerate(stem):
            if not isinstance(x, np.ndarray) or x.shape != expected or x.dtype != np.float32:
                raise OptionError(
                    f"stem output x{i} does not fit the {batch} images and the manifest",
                    expected=f"a float32 array {list(expected)}",
                    got=_describe(x),
                )
        return [np.ascontiguousarray(x) for x in stem]


def _makers(geometry: _core.Geometry, precision: str) -> Makers:
    return Makers(
        arithmetic=ARITHMETICS[precision],
        floats=ARITHMETICS["fp32" if precision == "int8" else precision],
        adapter=partial(_core.AdapterPath, geometry),
        router=partial(_core.Router, geometry),
        head=partial(_core.Head, geometry),
        refusals=refusals,
    )


def handles(snapshot: Snapshot) -> tuple[list[Any], list[tuple[str, Any, Any]]]:
    """A snapshot's parts as a compiled module takes them: pointers, no copies.

    Returns:
        For each slot the path or None; for each task its decoder, its head, and its router or None.
    """
    paths = [
        snapshot.adapters[name].prepared if name in snapshot.adapters else None
        for name in snapshot.slots
    ]
    tasks = []
    for task in snapshot.tasks:
        router, head = snapshot.routers.get(task.name), snapshot.heads[task.name].prepared
        tasks.append((KINDS[task.kind].decoder, head, None if router is None else router.prepared))
    return paths, tasks


def _describe(x: object) -> str:
    return f"{x.dtype} {list(x.shape)}" if isinstance(x, np.ndarray) else type(x).__name__
