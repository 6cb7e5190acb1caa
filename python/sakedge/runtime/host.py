"""The host model: the stem in a runtime's session, the rest in our decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.preparer import Ability
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.backends.base import Session
from sakedge.decoder import Decoded, Decoder, Mosaic
from sakedge.format import Manifest, StudentFile
from sakedge.images.fit import Normalizer, View
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.runtime.clock import Clock
from sakedge.runtime.engine import Engine, Wanted
from sakedge.runtime.session import Request, compiler_for, stem_of

_DOES = "the stem in the backend, the rest in our decoder"


class HostCore:
    """A compiled stem and a decoder."""

    stages = ("stem", "decoder")
    cannot: Mapping[Ability, str] = {
        "device_images": "it takes images on the host alone",
    }
    max_batch = 1

    def __init__(
        self, session: Session, decoder: Decoder, manifest: Manifest, min_weight: float
    ) -> None:
        self._session = session
        self._decoder = decoder
        self._size = manifest.input_size
        self._normalizer = Normalizer(manifest.preprocess)
        self._min_weight = min_weight

    def prepare(self, source: PartSource) -> object:
        """Packs a part for the kernels."""
        return self._decoder.prepare(source)

    def assemble(self, snapshot: Snapshot) -> object:
        """Nothing: a run takes the packed parts as they are."""
        return None

    def session(self, snapshot: Snapshot) -> Mapping[str, str]:
        """The stem's session, the same for every snapshot."""
        return self._session.details

    def batch(self, views: Sequence[View]) -> NDArray[np.float32]:
        """Normalises the views to float32 [batch, 3, H, W]."""
        return self._normalizer.batch(views)

    def infer(
        self,
        batch: NDArray[np.float32],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        wanted: Wanted,
        clock: Clock,
    ) -> list[Decoded]:
        """Runs the stem once on each image, then the decoder on each snapshot."""
        stem = self._session.run(batch)
        clock.lap("stem")
        decoded = self._decoder.run(
            stem,
            snapshots,
            windows,
            rows=rows,
            values=wanted.values,
            logits=wanted.logits,
            maps=wanted.maps,
            min_weight=self._min_weight,
        )
        clock.lap("decoder")
        return decoded

    def mosaic(self, grid: Grid, snapshot: Snapshot) -> Mosaic:
        """On the decoder's threads."""
        return Mosaic(self._decoder.pool, grid, self._size, snapshot.tasks)


def load(
    file: StudentFile, tasks: Sequence[str], request: Request, clock: Clock
) -> Engine[NDArray[np.float32]]:
    """Compiles the stem; laps `read` and `compile`."""
    manifest = file.manifest
    stem = file.stem(floats=stem_of(request) != "int8")
    clock.lap("read")
    compiler, explanation = compiler_for(request, "host", _DOES)
    session = compiler.compile(stem)
    clock.lap("compile")
    decoder = Decoder(manifest, threads=request.threads, precision=explanation.decoder_precision)
    core = HostCore(session, decoder, manifest, request.options.min_weight)
    return Engine(manifest, request.options, core, explanation)
