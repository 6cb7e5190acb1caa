"""What a student returns for one image: plain NumPy arrays, no device memory, no student."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.adapters.snapshot import PartId
from sakedge.drawing.panels import SIDE, Panel, compose
from sakedge.errors import UnknownTaskError, shown
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.files.names import LONGEST, endings, given_stem, last_part, legal_stem
from sakedge.files.paths import file_path
from sakedge.tasks.base import TaskResult
from sakedge.text import to_json, visible


@dataclass(frozen=True, eq=False)
class Routing:
    """How one task weighed stem and adapters. `numpy.asarray(routing)` gives `weights`.

    Attributes:
        weights: float32 [levels, experts]; a row sums to one (with router `none`: ones).
            An adapter that did not take part has weight 0.
        levels: Block index of each row.
        experts: Name of each column: `stem`, then the student's adapters.
    """

    weights: NDArray[np.float32]
    levels: tuple[int, ...]
    experts: tuple[str, ...]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.weights, dtype=dtype)

    def mean(self) -> dict[str, float]:
        """Weight of each expert, averaged over the levels."""
        return dict(zip(self.experts, self.weights.mean(axis=0).tolist(), strict=True))

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Weight by level and expert."""
        return {
            str(level): {e: round(float(w), 6) for e, w in zip(self.experts, row, strict=True)}
            for level, row in zip(self.levels, self.weights, strict=True)
        }


@dataclass(frozen=True, eq=False)
class Result(Mapping[str, TaskResult]):
    """One image's outputs by task, e.g. `result["semseg"].labels`.

    Attributes:
        outputs: By task, in the order in which the tasks were asked for.
        image: The input, RGB uint8 [h, w, 3]; every output has its height and width.
        source: Path or address of the image; None for an array.
        adapters: Names of the adapters that took part.
        student: Content digest of the student's file.
        parts: Which adapters, routers and heads computed it, each with version and digest.
        routing: By task. Where the image was tiled, the mean over the tiles.
        speed: Milliseconds by stage: `preprocess`, `stem`, `decoder` and `postprocess`, or the
            model's own stages; in a batch, an image's even share.
        fit: How the image was fitted to the student's input.
        frame: Number of the frame in its video or stream, from 0; None for any other image.
        model: The model that ran, e.g. `host`.
        backend: The backend that it ran in, e.g. `openvino`.
        quality: `reference` (computed in fp32), `verified` (the student's file records that the
            quality of just this passed) or `unverified`.
    """

    outputs: Mapping[str, TaskResult]
    image: NDArray[np.uint8]
    source: str | None = None
    adapters: tuple[str, ...] = ()
    routing: Mapping[str, Routing] = field(default_factory=dict)
    speed: Mapping[str, float] = field(default_factory=dict)
    fit: str = "pad"
    student: str = ""
    parts: tuple[PartId, ...] = ()
    frame: int | None = None
    model: str = ""
    backend: str = ""
    quality: str = ""

    def __getitem__(self, task: str) -> TaskResult:
        if task not in self:
            raise UnknownTaskError(
                f"the result has no task {shown(task)}",
                expected=f"one of {', '.join(self.outputs)}",
                got=shown(task),
            )
        return self.outputs[task]

    def __contains__(self, task: object) -> bool:
        return isinstance(task, str) and task in self.outputs

    def get(self, task: object, default: Any = None, /) -> Any:
        """The task's output, or `default` if there is none."""
        return self.outputs.get(task, default) if isinstance(task, str) else default

    def __iter__(self) -> Iterator[str]:
        return iter(self.outputs)

    def __len__(self) -> int:
        return len(self.outputs)

    def __repr__(self) -> str:
        source = visible(self.source or "array")
        return f"Result({source}, {self.width}x{self.height}, {', '.join(self.outputs)})"

    @property
    def height(self) -> int:
        """Pixels down, of the image and of every output."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Pixels across, of the image and of every output."""
        return int(self.image.shape[1])

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of everything that computed it: `student`, and each part, e.g. `adapters.sam`."""
        return {"student": self.student, **{part.component: part.digest for part in self.parts}}

    @property
    def values_digest(self) -> str:
        """SHA-256 of the outputs: of each task its name, type, shape and values."""
        found = hashlib.sha256()
        for name, output in self.outputs.items():
            values = np.ascontiguousarray(output.values)
            found.update(f"{name}\0{values.dtype.str}\0{values.shape}\0".encode())
            found.update(values.data)
        return found.hexdigest()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(self.outputs)

    @property
    def file_name(self) -> str:
        """What `save` names files by: the source's name without its suffix, or `image`.

        Characters that some file system refuses are replaced, and a name too long for the files of
        all tasks is cut. A frame has its number in it.
        """
        number = "" if self.frame is None else f"_{self.frame:06d}"
        source = (self.source or "image").removesuffix(number.replace("_", "#"))
        room = LONGEST - max(map(len, self.file_endings)) - _NUMBERING - len(number)
        return legal_stem(last_part(source), room) + number

    @property
    def file_endings(self) -> tuple[str, ...]:
        """What follows the name in all files that may be written, e.g. `.png` and `_edge.png`."""
        return (".png", *endings(self.tasks, ".png"), ".npz", ".json")

    def plot(self) -> NDArray[np.uint8]:
        """Draws the input and every task as labelled panels: RGB uint8 [H, W, 3]."""
        # Outputs of a large image are smooth, so every few pixels are enough for a panel.
        step = max(1, max(self.height, self.width) // (2 * SIDE))
        small = np.asarray(Image.fromarray(self.image).reduce(step))
        total = sum(self.speed.values())
        note = f"{self.width} x {self.height}" + (f", {total:.0f} ms" if total else "")
        title = Path(self.source).name if self.source else "input"
        panels = [Panel(title, small, note)]
        for name, task in self.outputs.items():
            routing = self.routing.get(name)
            shares = {e: w for e, w in routing.mean().items() if w > 0} if routing else {}
            drawn = replace(task, values=task.values[::step, ::step]).draw(small)
            panels.append(Panel(name, drawn, task.info.kind, task.legend(), shares, "routing"))
        return compose(panels)

    def save(
        self, directory: str | Path, *, name: str | None = None, arrays: bool = False
    ) -> list[Path]:
        """Writes `<name>.png` (the plot) and `<name>_<task>.png` (each task over the image).

        Each file is written atomically; one of the same name is replaced.

        Args:
            directory: Created if missing.
            name: Prefix of the file names; by default `file_name`.
            arrays: Also write `<name>.npz`: the outputs as they are, one array per task.

        Returns:
            Paths of what was written.

        Raises:
            OptionError: `name` is no plain file name.
            StorageError: No permission, no space, or no such directory.
        """
        stem = self.file_name if name is None else given_stem(name, self.file_endings)
        folder = file_path("the folder of results", directory)
        make_folder(folder)
        written = [_write_picture(folder / f"{stem}.png", self.plot())]
        overlays = endings(self.tasks, ".png")
        for ending, output in zip(overlays, self.outputs.values(), strict=True):
            written.append(_write_picture(folder / f"{stem}{ending}", output.draw(self.image)))
        if arrays:
            written.append(folder / f"{stem}.npz")
            with atomic_write(written[-1]) as file:
                _write_arrays(file, self.outputs)
        return written

    def to_dict(self) -> dict[str, Any]:
        """The result in a few numbers: no pixels, no arrays. See `docs/python-api.md`."""
        adapters = [part for part in self.parts if part.kind == "adapter"]
        return {
            "source": self.source,
            "frame": self.frame,
            "height": self.height,
            "width": self.width,
            "fit": self.fit,
            "adapters": list(self.adapters),
            "teachers": {part.name: part.teacher for part in adapters},
            "versions": {part.name: part.version for part in adapters if part.version},
            "model": self.model,
            "backend": self.backend,
            "quality": self.quality,
            "digests": self.digests,
            "tasks": {
                name: {"kind": output.info.kind, **output.summary()}
                for name, output in self.outputs.items()
            },
            "routing": {name: routing.to_dict() for name, routing in self.routing.items()},
            "speed_ms": {name: round(ms, 3) for name, ms in self.speed.items()},
        }

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON, in ASCII."""
        return to_json(self.to_dict(), indent)


_NUMBERING = len("-1234567")
"""Room in a name to tell images of the same name apart."""


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> Path:
    with atomic_write(path) as file:
        # The lowest level is several times faster than the default, and the file a little larger.
        Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return path


def _write_arrays(file: BinaryIO, outputs: Mapping[str, TaskResult]) -> None:
    """What `numpy.savez_compressed` writes; that takes some names of tasks for its own options."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for task, output in outputs.items():
            with archive.open(f"{task}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, output.values, allow_pickle=False)
