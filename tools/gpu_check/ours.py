"""Our side of what is compared: students, and what lies below their public calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.gpu_check.step import Given

PRECISIONS = ("fp16", "bf16")
_PROFILES = 7
Image = NDArray[np.uint8]


def student_file(given: Given) -> Path:
    """The student that was named, or a random ViT-B; in a rehearsal a tiny one. Made once."""
    if given.student is not None:
        if not given.student.exists():
            raise FileNotFoundError(f"there is no student at {given.student}")
        return given.student
    path = given.output / ("tiny.onnx" if given.rehearse else "vit_base.onnx")
    if path.exists():
        return path
    from tools.bench_peers.students import ADAPTERS, PASCAL
    from tools.checkpoint import make_checkpoint

    from sakedge.convert import convert

    small: dict[str, Any] = {"width": 64, "blocks": 4, "attention_heads": 1}
    checkpoint, config = make_checkpoint(
        given.output / "draft",
        vit="vit_base",
        input_size=(64, 64) if given.rehearse else (512, 512),
        teachers=ADAPTERS[: 2 if given.rehearse else 3],
        site_tasks=PASCAL,
        **(small if given.rehearse else {}),
    )
    convert(checkpoint, config, path)
    return path


def images(size: tuple[int, int], count: int, seed: int = 0) -> list[Image]:
    """Smooth pictures with noise, uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    found = []
    for _ in range(count):
        waves = rng.uniform(5, 40, (3, 2))
        planes = [np.sin(y / a) + np.cos(x / b) for a, b in waves]
        picture = 127 + 50 * np.stack(planes, -1) + rng.normal(0, 10, (height, width, 3))
        found.append(np.clip(picture, 0, 255).astype(np.uint8))
    return found


def load(path: Path, precision: str, **config: Any) -> Any:
    """The student on the GPU, or on the emulated driver that the process found in its place."""
    import sakedge

    return sakedge.load(path, backend="cuda", precision=precision, config=config or None)


def profile(student: Any, pictures: Sequence[Image]) -> list[tuple[str, float]]:
    """Kernel and milliseconds of each step of a call, in order: the median of a few."""
    device = student._model._core._student  # a DeviceStudent, around the compiled one
    native = device._student
    given: dict[str, Any] = {}

    class Recorder:
        """Keeps what a call gives the compiled student."""

        def __getattr__(self, name: str) -> Any:
            return getattr(native, name)

        def run(self, **arguments: Any) -> Any:
            given.update(arguments)
            return native.run(**arguments)

    device._student = Recorder()
    try:
        student(list(pictures))
    finally:
        device._student = native
    found = [native.profile(**given) for _ in range(_PROFILES)]
    times = np.median([[ms for _, ms in steps] for steps in found], axis=0)
    return [(kernel, float(ms)) for (kernel, _), ms in zip(found[0], times, strict=True)]
