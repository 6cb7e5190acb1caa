"""The cuda model: a whole student in our kernels on a GPU, from pixels to decoded outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.cuda.devices import NAME, find
from sakedge.cuda.library import require_module
from sakedge.cuda.options import CudaOptions
from sakedge.decoder import Decoded, Mosaic, thread_pool
from sakedge.errors import DeviceLostError
from sakedge.format import StudentFile
from sakedge.images.fit import View
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.runtime.clock import Clock
from sakedge.runtime.engine import Engine, Wanted
from sakedge.runtime.session import Request, explanation_of, stem_of

if TYPE_CHECKING:
    from sakedge.cuda.student import DeviceStudent

_DOES = "all of it on the GPU, in our kernels; the tiles of large images are blended on the CPU"


class CudaCore:
    """A student on a device."""

    stages = ("upload", "device", "download")
    cannot: Mapping[Ability, str] = {}
    max_batch = 8

    def __init__(
        self,
        student: DeviceStudent,
        size: tuple[int, int],
        request: Request,
        capture: Sequence[int],
    ) -> None:
        self._student = student
        self._size = size
        self._pool = thread_pool(request.threads)
        self._min_weight = request.options.min_weight
        self._capture = capture

    def prepare(self, source: PartSource) -> object:
        """Uploads a part."""
        return self._student.prepare(source)

    def assemble(self, snapshot: Snapshot) -> object:
        """Makes the graphs that were declared; a run takes the uploaded parts as they are."""
        for batch in self._capture:
            self._student.capture(batch, snapshot, self._min_weight)
        return None

    def session(self, snapshot: Snapshot) -> Mapping[str, str]:
        """The device and what lies on it, the same for every snapshot."""
        try:
            return self._student.details
        except DeviceLostError as error:
            return {"runtime": "cuda", "lost": str(error)}

    def batch(self, views: Sequence[View]) -> Sequence[View]:
        """The views as they are: the device normalises them."""
        return views

    def infer(
        self,
        batch: NDArray[np.float32] | Sequence[View],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
    ) -> list[Decoded]:
        """Runs the stem once on each image and the rest on each snapshot, all on the device."""
        decoded, times = self._student.run(
            batch,
            snapshots,
            windows,
            rows=rows,
            values=wanted.values,
            logits=wanted.logits,
            maps=wanted.maps,
            min_weight=self._min_weight,
        )
        clock.divide(times, rest="postprocess")
        return decoded

    def mosaic(self, grid: Grid, snapshot: Snapshot) -> Mosaic:
        """On our own threads."""
        return Mosaic(self._pool, grid, self._size, snapshot.tasks)


def load(
    file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock
) -> Engine[Sequence[View]]:
    """Uploads the stem; laps `read` and `compile`.

    Raises:
        DeviceError: There is no module, driver or device, nothing that runs on it, or too little
            memory.
        BackendError: The kernels are not written for such a student.
    """
    most = request.options.max_batch or CudaCore.max_batch
    options = CudaOptions.parse(request.options.runtime.get("cuda", {}), most)
    require_module()
    usable = find(request.device)
    from sakedge.cuda.student import DeviceStudent, check_sizes

    check_sizes(file.manifest)
    stem = file.component("stem")
    clock.lap("read")
    explanation = explanation_of(request, "cuda", _DOES)
    precision = explanation.precision
    student = DeviceStudent(
        file.manifest,
        usable,
        stem,
        stem_precision=stem_of(request),
        precision=precision,
        graphs=options.graphs,
    )
    clock.lap("compile")
    core = CudaCore(student, file.manifest.input_size, request, options.capture)
    explanation = replace(
        explanation,
        device=request.device or NAME,
        decoder_precision=precision,
        isas={precision: str(usable.image)},
        native=(precision,),
        gainful=(precision,),
    )
    return Engine(file.manifest, request.options, core, explanation)
