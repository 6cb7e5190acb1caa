"""Runs the float stem on the calibration images and watches what every layer is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sakedge.backends import registry
from sakedge.backends.base import CompileOptions
from sakedge.errors import ManifestError
from sakedge.format import StudentFile, Subgraph
from sakedge.format.student.cuts import Cut
from sakedge.format.student.int8 import stem_layers
from sakedge.format.student.subgraph import cut
from sakedge.progress import Progress
from sakedge.quantizing.inputs import Images, inputs_of
from sakedge.quantizing.observing import Observer

_TOGETHER = 1 << 28
"""Bytes of inputs that one run of the stem gives at most: blocks are watched in groups."""


def observe(
    file: StudentFile, images: Images, *, threads: int, progress: Progress
) -> dict[str, Observer]:
    """Watches the inputs of all matrix products of the stem.

    Args:
        file: A student with a stem in floats.
        images: The calibration images.
        threads: To compute with.
        progress: Called after each image.

    Returns:
        By name of the layer, in the order in which they run.

    Raises:
        ManifestError: Its graph is not the one that sakedge writes.
        ImageError, StorageError: An image cannot be used.
        BackendError: ONNX Runtime failed.
    """
    manifest = file.manifest
    tokens = 1 + manifest.grid[0] * manifest.grid[1]
    stem = file.stem()
    given = _inputs(stem)
    if tuple(given) != stem_layers(manifest.architecture):
        raise ManifestError(
            f"the stem of {file.path.name} is not written as sakedge writes it",
            expected="each of its layers as a product with its weight",
            remedy="Convert the student again",
        )
    channels = {layer: stem.weights[f"{layer}.weight"].shape[0] for layer in given}
    groups = list(_groups({layer: 4 * tokens * n for layer, n in channels.items()}))
    runtime = registry.get("onnxruntime")
    observers = {layer: Observer(n, len(images)) for layer, n in channels.items()}
    for i, layers in enumerate(groups):
        wanted = {given[layer]: (tokens, channels[layer]) for layer in layers}
        watched = cut(
            Cut("stem", ("stem",), wanted),
            stem.plain.nodes,
            manifest,
            stem.plain.tensors,
            stem.weights,
        )
        session = runtime.compile(watched, CompileOptions(threads=threads))
        for j in range(len(images)):
            progress("calibrating", (i + j / len(images)) / len(groups))
            seen = _joined([session.run(x) for x in inputs_of(images[j], manifest)])
            for layer in layers:
                observers[layer].see(seen[watched.outputs.index(given[layer])])
    return observers


def _inputs(stem: Subgraph) -> dict[str, str]:
    """Name of the value that each layer multiplies with its weight."""
    floats = {node.output[0]: node.input[0] for node in stem.plain.nodes if node.op_type == "Cast"}
    return {
        weight.removesuffix(".weight"): node.input[0]
        for node in stem.plain.nodes
        if node.op_type == "MatMul"
        and (weight := floats.get(node.input[1], node.input[1])) in stem.weights
    }


def _joined(runs: Sequence[list[NDArray[np.float32]]]) -> list[NDArray[np.float32]]:
    """The tokens of all inputs of one image, [tokens, channels] for each value."""
    return [np.concatenate([value[0] for value in values]) for values in zip(*runs, strict=True)]


def _groups(sizes: dict[str, int]) -> Iterator[list[str]]:
    """Cuts the layers into runs that give no more than `_TOGETHER` bytes, or one layer."""
    ends, total, group = {}, 0, 0
    for layer, size in sizes.items():
        if total and total + size > _TOGETHER:
            group, total = group + 1, 0
        total += size
        ends[layer] = group
    for _, layers in groupby(sizes, key=ends.__getitem__):
        yield list(layers)
