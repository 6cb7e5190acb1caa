"""Int8 students in a plain way: ranges of a few images, no smoothing, nothing measured."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from sakedge.format import Manifest, Storage, StudentFile, write_student
from sakedge.format.student.int8 import MOST, STEM_MOST, is_product, quantised, stem_layers

Tensors = dict[str, NDArray[Any]]


def images(manifest: Manifest, count: int = 2) -> list[NDArray[np.float32]]:
    """Normalised images of smooth noise, each float32 [1, 3, H, W]."""
    rng = np.random.default_rng(0)
    rows, columns = manifest.grid
    patch = manifest.architecture.patch
    coarse = rng.normal(size=(count, 1, 3, rows, columns)).astype(np.float32)
    return list(coarse.repeat(patch, axis=3).repeat(patch, axis=4))


def quantised_student(
    source: Path,
    target: Path,
    *,
    calibration: Sequence[NDArray[np.float32]] | None = None,
    floats: Collection[str] = (),
) -> Path:
    """Writes a float student as int8, all but the components and the layers named."""
    with StudentFile.open(source) as file:
        manifest = file.manifest
        parts = {
            name: {key: np.asarray(t, np.float32) for key, t in file.component(name).items()}
            for name in manifest.components
        }
        ranges = _input_ranges(file, calibration or images(manifest))
    components = {
        name: _quantised(name, tensors, {} if name != "stem" else ranges, floats)
        for name, tensors in parts.items()
    }
    storage = Storage.uniform("int8").model_copy(update={"floats": tuple(floats)})
    fields = ("architecture", "input_size", "levels", "tasks", "adapters", "preprocess")
    kept = {field: getattr(manifest, field) for field in (*fields, "provenance", "stem_lineage")}
    write_student(target, Manifest.without_digests(**kept, storage=storage), components)
    return target


def _quantised(
    component: str, tensors: Tensors, ranges: dict[str, tuple[float, float]], floats: Any
) -> Tensors:
    stored: Tensors = {}
    for name, tensor in tensors.items():
        layer = name.removesuffix(".weight")
        if not is_product(name) or layer in floats or component in floats:
            stored[name] = tensor
            continue
        stored |= quantised(name, tensor, STEM_MOST if component == "stem" else MOST)
        if component == "stem":
            low, high = ranges[layer]
            scale = np.float32((high - low) / 255)
            stored[f"{layer}.input.scale"] = np.array(scale)
            stored[f"{layer}.input.zero_point"] = np.array(np.rint(-low / scale), np.uint8)
    return stored


def _input_ranges(
    file: StudentFile, calibration: Sequence[NDArray[np.float32]]
) -> dict[str, tuple[float, float]]:
    """The range of each layer's input in the float stem, zero included."""
    model = onnx.load_from_string(file.stem().to_bytes())
    producers = {name: node for node in model.graph.node for name in node.output}
    layers = stem_layers(file.manifest.architecture)
    inputs = {layer: producers[f"{layer}.product"].input[0] for layer in layers}
    names = sorted(set(inputs.values()))
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, None))
    session = ort.InferenceSession(model.SerializeToString())
    found = [session.run(names, {"image": image}) for image in calibration]
    low = {n: min(0.0, *(float(a[i].min()) for a in found)) for i, n in enumerate(names)}
    high = {n: max(0.0, *(float(a[i].max()) for a in found)) for i, n in enumerate(names)}
    return {layer: (low[name], high[name]) for layer, name in inputs.items()}
