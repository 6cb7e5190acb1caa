"""A student on a device: its parts uploaded, its runs, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sakedge import _cuda
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.cuda import images, tuning
from sakedge.cuda.devices import Usable
from sakedge.cuda.refusals import refusals
from sakedge.cuda.stem import make_stem
from sakedge.decoder import Decoded, Makers, Packer, Tensors, handles, window_arguments
from sakedge.errors import BackendError, DeviceError, ManifestError
from sakedge.format import Manifest
from sakedge.images.device import DevicePixels
from sakedge.images.fit import View
from sakedge.images.window import Window

ARITHMETICS = {"fp16": "f16", "bf16": "bf16", "int8": "s8"}
"""Precision → arithmetic of the matrix products. All else is always float32."""

STAGES: tuple[Literal["upload", "device", "download"], ...] = ("upload", "device", "download")
"""What a run's time is divided into."""

HEAD = 64
"""Channels of an attention head that the kernels are written for."""
PATCH = 16
"""Edge of their patches in pixels."""


def check_sizes(manifest: Manifest) -> None:
    """Refuses a student that the kernels are not written for.

    Raises:
        BackendError: It has other patches, or attention heads of another width.
    """
    sizes = manifest.architecture
    head = sizes.width / sizes.heads
    if sizes.patch == PATCH and head == HEAD:
        return
    raise BackendError(
        "the backend cuda has no kernels for this student",
        expected=f"patches of {PATCH} x {PATCH} pixels, attention heads of {HEAD} channels",
        got=f"patches of {sizes.patch} x {sizes.patch}, heads of {head:g}",
        remedy="Run it with another backend",
    )


class DeviceStudent:
    """A stem on a device, and what runs it together with the parts of snapshots.

    Safe from any number of threads: runs follow each other on the device.

    Args:
        manifest: The student's manifest.
        usable: The device.
        stem: The stem's tensors, as stored.
        stem_precision: Of the stem's products, one of `ARITHMETICS`.
        precision: Of all others.
        graphs: Most CUDA graphs that are kept.

    Raises:
        BackendError: The kernels are not written for such a student.
        TensorError: A tensor of the stem does not fit.
        DeviceError: The device cannot be used, or has too little memory.
    """

    def __init__(
        self,
        manifest: Manifest,
        usable: Usable,
        stem: Tensors,
        *,
        stem_precision: str,
        precision: str,
        graphs: int,
    ) -> None:
        check_sizes(manifest)
        self._usable = usable
        image = images.read(usable.image)
        with refusals(f"the device {usable.info.name}", DeviceError):
            device = _cuda.Device(
                usable.info.ordinal, image, tuning.tiles(usable.info.architecture)
            )
        sizes = manifest.architecture
        with refusals("the manifest's sizes", ManifestError):
            geometry = _cuda.Geometry(
                channels=sizes.width,
                blocks=sizes.blocks,
                heads=sizes.heads,
                levels=manifest.levels,
                grid=manifest.grid,
                input_size=manifest.input_size,
            )
        uploaded = make_stem(device, geometry, ARITHMETICS[stem_precision], manifest, stem)
        self._device = device
        self._packer = Packer(manifest, _makers(device, geometry, precision))
        with refusals("the student", DeviceError):
            self._student = _cuda.Student(
                device,
                geometry,
                uploaded,
                manifest.preprocess.mean,
                manifest.preprocess.std,
                graphs,
            )

    def prepare(self, source: PartSource) -> object:
        """Uploads a part.

        Raises:
            TensorError: A tensor is missing or has a wrong shape.
            DeviceMemoryError: The device has too little memory left; nothing was changed.
        """
        return self._packer.part(source)

    def run(
        self,
        batch: NDArray[np.float32] | Sequence[View],
        snapshots: Sequence[Snapshot],
        windows: Sequence[Window],
        *,
        rows: Sequence[int],
        values: bool,
        logits: bool,
        maps: bool,
        min_weight: float,
    ) -> tuple[list[Decoded], dict[str, float]]:
        """Runs snapshots on images, as `Decoder.run` does.

        Args:
            batch: Views of pictures, or normalised inputs [batch, 3, H, W].
            snapshots: As there; their parts were prepared by this student.
            windows: As there.
            rows: As there.
            values: As there.
            logits: As there.
            maps: As there.
            min_weight: As there.

        Returns:
            What each run gives, and milliseconds by stage: `upload`, `device`, `download`.

        Raises:
            OptionError: Shapes, batch sizes, parts or numbers do not fit.
            DeviceMemoryError: The device has too little memory left; the student stays usable.
            DeviceLostError: The device failed.
        """
        pictures = [self._picture(each) for each in batch]
        numbers = [window_arguments(window) for window in windows]
        with refusals("a run on the device"):
            found = self._student.run(
                pictures=pictures,
                rows=list(rows),
                snapshots=[_cuda.Snapshot(*handles(snapshot)) for snapshot in snapshots],
                windows=numbers,
                values=values,
                logits=logits,
                maps=maps,
                min_weight=min_weight,
            )
            times = self._student.times()
        decoded = [
            Decoded.of(tuple(snapshot.heads), *arrays)
            for snapshot, arrays in zip(snapshots, found, strict=True)
        ]
        return decoded, {stage: times[stage] for stage in STAGES}

    def capture(self, batch: int, snapshot: Snapshot, min_weight: float) -> None:
        """Makes the graph of a number of images, with a snapshot, ahead of the first such call.

        Raises:
            DeviceMemoryError: The device has too little memory left.
        """
        with refusals(f"a graph of {batch} images"):
            self._student.capture(
                batch=batch,
                snapshots=[_cuda.Snapshot(*handles(snapshot))] * batch,
                values=True,
                logits=False,
                maps=False,
                min_weight=min_weight,
            )

    @property
    def details(self) -> dict[str, str]:
        """For `explain()`: the device, its driver, the image of the kernels, memory and graphs."""
        info, image = self._usable.info, self._usable.image
        details = {
            "runtime": "cuda",
            "version": f"{info.driver // 1000}.{info.driver % 1000 // 10}",
            "device": str(info),
            "kernels": str(image),
        }
        with refusals("the device's memory", DeviceError):
            free, total = self._device.memory()
            kept, most = self._student.graphs()
            own = self._student.memory()
        return {
            **details,
            "graphs": f"{kept} of at most {most}",
            "device memory": f"{own / 2**20:.0f} MiB for runs; {free / 2**20:.0f} of "
            f"{total / 2**20:.0f} MiB are free",
        }

    def _picture(self, view: NDArray[np.float32] | View) -> Any:
        """An image as the compiled module takes it."""
        if not isinstance(view, View):
            return np.ascontiguousarray(view)
        pixels = view.pixels
        if isinstance(pixels, DevicePixels):
            with refusals("the image on the device"):
                pixels.host = self._device.download(pixels.lend(self._device.stream))
            return pixels.lend(self._student.stream), view.top, view.left
        return np.ascontiguousarray(pixels), view.top, view.left


def _makers(device: _cuda.Device, geometry: _cuda.Geometry, precision: str) -> Makers:
    return Makers(
        arithmetic=ARITHMETICS[precision],
        floats=ARITHMETICS["fp16" if precision == "int8" else precision],
        adapter=partial(_cuda.AdapterPath, device, geometry),
        router=partial(_cuda.Router, device, geometry),
        head=partial(_cuda.Head, device, geometry),
        refusals=refusals,
    )
