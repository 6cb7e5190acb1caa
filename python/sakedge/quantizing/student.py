"""An int8 student in memory, from which files are written with some of it kept in floats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format import Manifest, QualityEntry, Storage, StudentFile, write_student
from sakedge.format.student.int8 import MOST, STEM_MOST, is_product, quantised, stem_layers
from sakedge.progress import Progress
from sakedge.quantizing.smoothing import Fitted, fold

Tensors = dict[str, NDArray[Any]]


class Int8Student:
    """A student whose matrix products are int8.

    Args:
        file: The student in floats.
        fitted: How the layers of the stem are quantised, by name.
        tool: Tool and version that quantised it.

    Attributes:
        source: Manifest of the student in floats.
    """

    def __init__(self, file: StudentFile, fitted: Mapping[str, Fitted], tool: str) -> None:
        self.source = file.manifest
        self._tool = tool
        self._fitted = fitted
        self._floats = {name: _floats(file, name) for name in file.manifest.components}
        self._floats["stem"] = fold(self._floats["stem"], fitted)
        self._int8 = {name: self._quantised(name) for name in self._floats}

    @property
    def parts(self) -> tuple[str, ...]:
        """All that can be kept in floats: the stem's layers, and the other components."""
        others = (name for name in self.source.components if name != "stem")
        return (*stem_layers(self.source.architecture), *others)

    def weights(self, parts: Sequence[str]) -> int:
        """How many weights some parts have that int8 would hold."""
        return sum(
            tensor.size
            for component, tensors in self._int8.items()
            for name, tensor in tensors.items()
            if tensor.dtype == np.int8
            and (component in parts or name.removesuffix(".weight") in parts)
        )

    def write(
        self,
        path: Path,
        floats: Sequence[str] = (),
        quality: Sequence[QualityEntry] = (),
        progress: Progress | None = None,
    ) -> Manifest:
        """Writes a file, atomically.

        Args:
            path: Where.
            floats: What is kept in floats, some of `parts`.
            quality: What was measured of it.
            progress: Called after each tensor.

        Raises:
            StorageError: The file cannot be written.
        """
        kept = [name for name in self.parts if name in floats]
        manifest = Manifest.without_digests(
            **{
                **{name: each for name, each in self.source if name != "digests"},
                "storage": Storage.uniform("int8").model_copy(update={"floats": tuple(kept)}),
                "provenance": self.source.provenance.model_copy(update={"tool": self._tool}),
                "quality": tuple(quality),
            }
        )
        components = {name: self._component(name, kept) for name in self.source.components}
        return write_student(path, manifest, components, progress=progress)

    def _component(self, name: str, kept: Sequence[str]) -> Tensors:
        floats, int8 = self._floats[name], self._int8[name]
        if name in kept:
            return floats
        for layer in (layer for layer in kept if name == "stem" and layer.startswith("stem.")):
            int8 = {key: each for key, each in int8.items() if not key.startswith(f"{layer}.")}
            int8 |= {f"{layer}.{part}": floats[f"{layer}.{part}"] for part in ("weight", "bias")}
        return int8

    def _quantised(self, component: str) -> Tensors:
        most = STEM_MOST if component == "stem" else MOST
        tensors: Tensors = {}
        for name, tensor in self._floats[component].items():
            tensors |= quantised(name, tensor, most) if is_product(name) else {name: tensor}
        if component == "stem":
            for layer, how in self._fitted.items():
                tensors[f"{layer}.input.scale"] = np.asarray(how.scaling.scale)
                tensors[f"{layer}.input.zero_point"] = np.asarray(how.scaling.zero_point)
        return tensors


def _floats(file: StudentFile, component: str) -> Tensors:
    return {k: np.asarray(each, np.float32) for k, each in file.component(component).items()}
