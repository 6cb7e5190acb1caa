"""Surface normals: one unit vector per pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.drawing.legend import Legend
from sakedge.tasks.base import TaskResult


@dataclass(frozen=True, eq=False)
class NormalsResult(TaskResult):
    """Unit vectors; `normals` is float32 [h, w, 3], in the axes that the student was trained on."""

    @property
    def normals(self) -> NDArray[np.float32]:
        """Unit vector (x, y, z) per pixel."""
        return self.values

    def draw(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The usual normal map: red, green and blue are x, y and z from -1 to 1."""
        return _color(self.values)

    def legend(self) -> Legend:
        """What the colours of a normal map stand for."""
        axes = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
        names = ("+x", "+y", "+z", "-x", "-y", "-z")
        colors = _color(axes).tolist()
        return Legend(
            tuple(((c[0], c[1], c[2]), name) for c, name in zip(colors, names, strict=True))
        )

    def summary(self) -> dict[str, Any]:
        """The mean vector and the mean angle to it, in degrees."""
        mean = self.values.reshape(-1, 3).mean(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(mean))
        if length < 1e-9:
            return {"mean": [0.0, 0.0, 0.0], "spread_degrees": 90.0}
        cosine = np.clip(self.values @ (mean / length).astype(np.float32), -1, 1)
        return {
            "mean": [round(float(m), 6) for m in mean / length],
            "spread_degrees": round(float(np.degrees(np.arccos(cosine)).mean()), 4),
        }


def _color(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round((np.clip(vectors, -1, 1) * 0.5 + 0.5) * 255).astype(np.uint8)
