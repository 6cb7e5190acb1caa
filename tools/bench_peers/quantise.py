"""Students in int8: ours as `sakedge quantize` makes them, and each stock runtime's own.

The peers get what their makers' tools make of a student.onnx, or of what `sakedge export` makes of
it: OpenVINO an IR by NNCF with its transformer preset, ONNX Runtime a QDQ model by its static
quantisation of products and convolutions. All are made once.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.bench_peers.exported import exported_student

from sakedge.assets import samples
from sakedge.files.atomic import make_folder
from sakedge.format import Manifest, StudentFile
from sakedge.images.examples import fitted
from sakedge.images.fit import Normalizer

CALIBRATION_IMAGES = 8
"""Enough for ranges: the tools take a minimum and a maximum over them. With random weights there is
no accuracy that more images could save."""


_INTERPOLATION = r".*\.(tall|fuse\.sum)$"
"""The exported graph's products with constant matrices on their left. They stay in floats: OpenVINO
2026.4 refuses to compile them quantised (any_of(scale.size(), OC, 1U))."""


def int8_student(student: Path, folder: Path) -> Path:
    """The student as ours runs it in int8, in `folder`; made if missing.

    Without a gate: random weights have no quality to judge.
    """
    with StudentFile.open(student) as file:
        path = folder / f"ours-int8-{file.content_digest[:16]}.onnx"
        if path.exists():
            return path
        from sakedge.quantizing.calibration import observe
        from sakedge.quantizing.inputs import Images
        from sakedge.quantizing.smoothing import can_be_smoothed, fit
        from sakedge.quantizing.student import Int8Student

        make_folder(folder)
        images = Images(calibration_scenes(file.manifest), None)
        seen = observe(file, images, threads=2, progress=lambda step, share: None)
        stem = file.component("stem")
        layers = {
            layer: fit(
                np.asarray(stem[f"{layer}.weight"], np.float32),
                inputs,
                "minmax",
                smooth=can_be_smoothed(layer),
            )
            for layer, inputs in seen.items()
        }
        Int8Student(file, layers, "sakedge").write(path)
    return path


def nncf_student(student: Path, folder: Path) -> Path:
    """The whole graph as int8 IR in `folder`; made if missing."""
    with StudentFile.open(student) as file:
        path = folder / f"int8-{file.content_digest[:16]}.xml"
    return _by_nncf(student, path, lambda: str(student))


def nncf_export(student: Path, folder: Path) -> Path:
    """The exported graph as int8 IR in `folder`; made if missing."""
    graph = exported_student(student, folder)
    path = folder / f"int8-{graph.stem}.xml"
    return _by_nncf(student, path, lambda: str(graph), floats=[_INTERPOLATION])


def static_student(student: Path, folder: Path) -> Path:
    """The whole graph as ONNX Runtime quantises it, in `folder`; made if missing."""
    with StudentFile.open(student) as file:
        path = folder / f"static-{file.content_digest[:16]}.onnx"
    return _by_onnxruntime(student, student, path)


def static_export(student: Path, folder: Path) -> Path:
    """The exported graph as ONNX Runtime quantises it, in `folder`; made if missing."""
    graph = exported_student(student, folder)
    return _by_onnxruntime(student, graph, folder / f"static-{graph.stem}.onnx")


def calibration_scenes(manifest: Manifest) -> list[NDArray[np.uint8]]:
    """Sample scenes and their mirror images, RGB [H, W, 3]."""
    scenes = [fitted(sample, manifest.input_size) for sample in samples()]
    scenes += [scene[:, ::-1] for scene in scenes] + [scene[::-1] for scene in scenes]
    return [np.ascontiguousarray(scene) for scene in scenes[:CALIBRATION_IMAGES]]


def calibration_images(student: Path) -> list[NDArray[np.float32]]:
    """The same, each normalised, float32 [1, 3, H, W]."""
    with StudentFile.open(student) as file:
        manifest = file.manifest
    normalize = Normalizer(manifest.preprocess)
    return [normalize(scene)[np.newaxis] for scene in calibration_scenes(manifest)]


def _by_nncf(
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


def _by_onnxruntime(student: Path, graph: Path, path: Path) -> Path:
    if path.exists():
        return path
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Images(CalibrationDataReader):  # type: ignore[misc]
        """Hands the images out one by one."""

        def __init__(self) -> None:
            self._images: Iterator[NDArray[np.float32]] = iter(calibration_images(student))

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            """The next feed, or None at the end."""
            image = next(self._images, None)
            return None if image is None else {"image": image}

    make_folder(path.parent)
    draft = path.with_name(f"draft-{path.name}")
    logging.disable(logging.WARNING)
    try:
        quantize_static(
            str(graph),
            str(draft),
            Images(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Conv"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"WeightSymmetric": True},
        )
    finally:
        logging.disable(logging.NOTSET)
    draft.replace(path)
    return path
