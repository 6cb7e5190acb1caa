"""Held-out metrics at full size, pooled over the set (docs/model.md, section 8).

Everything is as defined there but the boundary F: predicted boundaries are thinned to ridges, and a
pixel counts as matched when a pixel of the other side lies within the tolerance; the official
evaluation matches one to one. The threshold is one for the whole set (ODS).
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize
from tools.demo_student import spec
from tools.demo_student.scenes import Scene

THRESHOLDS = np.linspace(0.05, 0.95, 19)
EDGE_TOLERANCE = 0.011  # of the image's diagonal, as for NYUD-v2; 4 pixels here
BETA2 = 0.3
Map = NDArray[np.float32]
HIGHER_IS_BETTER = {"semseg": True, "edge": True, "sal": True, "normals": False, "depth": False}
NAMES = {
    "semseg": "mIoU, %",
    "edge": "odsF, %",
    "sal": "maxF, %",
    "normals": "mErr, degrees",
    "depth": "RMSE, mm",
}


def _disc() -> NDArray[np.uint8]:
    """The tolerance as a structuring element."""
    reach = round(EDGE_TOLERANCE * spec.SIZE * 2**0.5)
    side = 2 * reach + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


@dataclass(frozen=True)
class Truth:
    """A scene's ground truth as the metrics read it."""

    scene: Scene
    thin_edge: NDArray[np.bool_]
    near_edge: NDArray[np.bool_]


def truth_of(scene: Scene) -> Truth:
    """Thin the boundaries and widen them by the tolerance."""
    thin = skeletonize(scene.edge)
    return Truth(scene, thin, cv2.dilate(thin.astype(np.uint8), _disc()) > 0)


def ridges(probability: Map) -> Map:
    """The map with everything but its ridges set to zero (non-maximum suppression).

    A pixel stays if it is no lower than its two neighbours across the boundary, whose direction
    is that of the smoothed map's strongest curvature.
    """
    soft = cv2.GaussianBlur(probability, (0, 0), 1.5)
    xx = cv2.Sobel(soft, cv2.CV_32F, 2, 0, ksize=5)
    yy = cv2.Sobel(soft, cv2.CV_32F, 0, 2, ksize=5)
    xy = cv2.Sobel(soft, cv2.CV_32F, 1, 1, ksize=5)
    across = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)  # most negative curvature
    dx, dy = np.cos(across).astype(np.float32), np.sin(across).astype(np.float32)
    y, x = np.mgrid[: soft.shape[0], : soft.shape[1]].astype(np.float32)
    keep = np.ones(soft.shape, np.bool_)
    for sign in (-1, 1):
        beside = cv2.remap(
            soft, x + sign * dx, y + sign * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        keep &= soft >= beside
    return np.where(keep, probability, 0).astype(np.float32)


def _at_least(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """How many values reach each threshold."""
    return np.asarray([np.count_nonzero(values >= t) for t in THRESHOLDS], np.int64)


@dataclass
class Metrics:
    """Sums over the images seen so far."""

    confusion: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((len(spec.CLASSES),) * 2, np.int64)
    )
    sal_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, 19), np.int64))
    edge_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((4, 19), np.int64))
    angle: float = 0.0
    square: float = 0.0
    pixels: int = 0

    def add(self, truth: Truth, found: dict[str, NDArray[np.generic]]) -> None:
        """Add one image.

        Args:
            truth: its ground truth.
            found: decoded maps [S, S, ...]: semseg uint8, edge and sal 0...1, normals, depth.
        """
        scene = truth.scene
        pairs = scene.semseg.astype(np.int64) * len(spec.CLASSES) + np.asarray(
            found["semseg"], np.int64
        )
        self.confusion += np.bincount(pairs.ravel(), minlength=self.confusion.size).reshape(
            self.confusion.shape
        )
        sal = np.asarray(found["sal"], np.float32)
        self.sal_counts += [
            _at_least(sal[scene.sal]),
            _at_least(sal),
            np.full(19, np.count_nonzero(scene.sal)),
        ]
        self._add_edge(truth, ridges(np.asarray(found["edge"], np.float32)))
        p, g = np.asarray(found["normals"], np.float64), scene.normals.astype(np.float64)
        turn = 2 * np.arctan2(np.linalg.norm(p - g, axis=-1), np.linalg.norm(p + g, axis=-1))
        self.angle += float(np.degrees(turn).sum())
        self.square += float(((np.asarray(found["depth"], np.float64) - scene.depth) ** 2).sum())
        self.pixels += scene.depth.size

    def _add_edge(self, truth: Truth, thin: Map) -> None:
        """Matched and all pixels, of the prediction and of the truth, per threshold."""
        reach = cv2.dilate(thin, _disc())
        self.edge_counts += [
            _at_least(thin[truth.near_edge]),
            _at_least(thin),
            _at_least(reach[truth.thin_edge]),
            np.full(19, np.count_nonzero(truth.thin_edge)),
        ]

    def class_iou(self) -> NDArray[np.float64]:
        """Intersection over union per class, in per cent."""
        hit = np.diag(self.confusion)
        union = self.confusion.sum(0) + self.confusion.sum(1) - hit
        return np.asarray(100 * hit / np.maximum(union, 1), np.float64)

    def result(self) -> dict[str, float]:
        """The five figures, in the units of `NAMES`."""
        hit, shown, there = self.sal_counts.astype(np.float64)
        precision, recall = hit / np.maximum(shown, 1), hit / np.maximum(there, 1)
        max_f = (1 + BETA2) * precision * recall / np.maximum(BETA2 * precision + recall, 1e-12)
        matched, shown, found, there = self.edge_counts.astype(np.float64)
        precision, recall = matched / np.maximum(shown, 1), found / np.maximum(there, 1)
        f = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        return {
            "semseg": float(self.class_iou().mean()),
            "edge": float(100 * f.max()),
            "sal": float(100 * max_f.max()),
            "normals": self.angle / max(self.pixels, 1),
            "depth": 1e3 * float(np.sqrt(self.square / max(self.pixels, 1))),
        }


def constant_baselines(truths: list[Truth]) -> dict[str, float]:
    """What the best constant output scores: one class, one value, one vector.

    For the boundary, every pixel is called one; for the defects likewise.
    """
    depth = np.mean([t.scene.depth.mean() for t in truths])
    normal = np.mean([t.scene.normals.mean((0, 1)) for t in truths], 0)
    normal /= np.linalg.norm(normal)
    best: dict[str, float] = {}
    for label in range(len(spec.CLASSES)):
        metrics = Metrics()
        for truth in truths:
            shape = truth.scene.depth.shape
            found: dict[str, NDArray[np.generic]] = {
                "semseg": np.full(shape, label, np.uint8),
                "sal": np.ones(shape, np.float32),
                "edge": np.zeros(shape, np.float32),
                "normals": np.broadcast_to(normal, (*shape, 3)),
                "depth": np.full(shape, depth),
            }
            metrics.add(truth, found)
        result = metrics.result()
        best = best or result
        best["semseg"] = max(best["semseg"], result["semseg"])
    precision = np.mean([t.near_edge.mean() for t in truths])
    best["edge"] = float(100 * 2 * precision / (1 + precision))
    return best
