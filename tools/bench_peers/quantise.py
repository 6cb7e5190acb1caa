"""Students and stems quantised by NNCF: post-training, static, with its transformer preset.

The whole graph is what a user of stock OpenVINO would make of a student.onnx, or of what `sakedge
export` makes of it. The stem alone is what ours runs in front of its own int8 decoder. All are
OpenVINO IR, made once.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.bench_peers.exported import exported_student
from tools.bench_peers.students import FOLDER

from sakedge.assets import samples
from sakedge.files.atomic import make_folder
from sakedge.format import StudentFile
from sakedge.images.examples import fitted
from sakedge.images.fit import Normalizer

CALIBRATION_IMAGES = 8
"""Enough for ranges: NNCF takes a minimum and a maximum over them. With random weights there is no
accuracy that more images could save."""


_INTERPOLATION = r".*\.(tall|fuse\.sum)$"
"""The exported graph's products with constant matrices on their left. They stay in floats: OpenVINO
2026.4 refuses to compile them quantised (any_of(scale.size(), OC, 1U))."""


def quantised_student(student: Path, folder: Path) -> Path:
    """The whole graph as int8 IR in `folder`; made if missing."""
    with StudentFile.open(student) as file:
        path = folder / f"int8-{file.content_digest[:16]}.xml"
    return _quantised(student, path, lambda: str(student))


def quantised_export(student: Path, folder: Path) -> Path:
    """The exported graph as int8 IR in `folder`; made if missing."""
    graph = exported_student(student, folder)
    path = folder / f"int8-{graph.stem}.xml"
    return _quantised(student, path, lambda: str(graph), floats=[_INTERPOLATION])


def quantised_stem(student: Path) -> Path:
    """The stem as int8 IR, shared by all students that have it."""
    with StudentFile.open(student) as file:
        stem = file.stem()
    path = FOLDER / "stems" / f"{stem.digest[:16]}.xml"
    return _quantised(student, path, stem.to_bytes)


def calibration_images(student: Path) -> list[NDArray[np.float32]]:
    """Sample scenes and their mirror images, each normalised, float32 [1, 3, H, W]."""
    with StudentFile.open(student) as file:
        manifest = file.manifest
    normalize = Normalizer(manifest.preprocess)
    scenes = [fitted(sample, manifest.input_size) for sample in samples()]
    scenes += [scene[:, ::-1] for scene in scenes] + [scene[::-1] for scene in scenes]
    images = [normalize(np.ascontiguousarray(scene)) for scene in scenes[:CALIBRATION_IMAGES]]
    return [image[np.newaxis] for image in images]


def _quantised(
    student: Path, path: Path, source: Callable[[], Any], floats: Sequence[str] = ()
) -> Path:
    if path.exists():
        return path
    import nncf
    import openvino

    make_folder(path.parent)
    images = calibration_images(student)
    model = openvino.Core().read_model(source())
    quantised = nncf.quantize(
        model,
        nncf.Dataset(images),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(images),
        ignored_scope=nncf.IgnoredScope(patterns=list(floats)),
    )
    # The IR is two files; the .xml marks it as complete, so it comes last.
    draft = path.with_name(f"draft-{path.name}")
    openvino.save_model(quantised, draft, compress_to_fp16=False)
    draft.with_suffix(".bin").replace(path.with_suffix(".bin"))
    draft.replace(path)
    return path
