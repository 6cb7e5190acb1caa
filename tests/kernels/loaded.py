"""A random student as it runs: its decoder, and the snapshot that holds its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.kernels.students import RandomStudent, Tensors

from sakedge.adapters.snapshot import Part, PartId, PartSource, Snapshot
from sakedge.decoder import Decoded, Decoder
from sakedge.format import PartKind
from sakedge.images.window import Window
from sakedge.tasks import TaskInfo

_DIGEST = "0" * 64


class Loaded:
    """Each run takes the snapshot current when it begins; an exchange replaces it."""

    def __init__(
        self,
        student: RandomStudent,
        *,
        threads: int = 2,
        adapters: tuple[str, ...] | None = None,
        precision: str = "fp32",
    ) -> None:
        manifest = student.manifest
        self.decoder = Decoder(manifest, threads=threads, precision=precision)
        self.snapshot = Snapshot(_DIGEST, manifest.adapter_names)
        for name in manifest.adapter_names if adapters is None else adapters:
            self._place("adapter", name, student.adapters[name])
        for task in manifest.tasks:
            if task.name in student.routers:
                self._place("router", task.name, student.routers[task.name])
            self._place("head", task.name, student.heads[task.name], task)

    def exchange(self, adapter: str, tensors: Tensors | None) -> None:
        """Replaces or removes an adapter."""
        if tensors is None:
            self.snapshot = self.snapshot.lacking(adapter)
        else:
            self._place("adapter", adapter, tensors)

    def run(
        self,
        stem: Any,
        *,
        windows: Sequence[Window],
        adapters: Sequence[Sequence[str]],
        tasks: Sequence[str],
        **options: Any,
    ) -> list[Decoded]:
        """Runs images on the same snapshot, each with its own choice of the adapters."""
        snapshot = self.snapshot
        narrowed = [snapshot.narrowed(tuple(names), tuple(tasks)) for names in adapters]
        return self.decoder.run(stem, narrowed, windows, **options)

    def _place(
        self, kind: PartKind, name: str, tensors: Tensors, task: TaskInfo | None = None
    ) -> None:
        source = PartSource(PartId(kind, name, _DIGEST), lambda: tensors, task)
        prepared = self.decoder.prepare(source)
        self.snapshot = self.snapshot.having(Part(source.id, prepared, task))
