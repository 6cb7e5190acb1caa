"""What the kernels and the decoder are checked against: float64, step by step.

Written from docs/model.md, section 2, alone. The head convolves after upsampling, as the paper has
it; the router runs its last linear on every token before the mean.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format import Manifest
from sakedge.images.window import Window

Array = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def gelu(x: Array) -> Array:
    return x * 0.5 * (1.0 + _erf(x / math.sqrt(2.0)))


def layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) * gamma + beta


def adapter(z: Array, down: Array, down_bias: Array, up: Array, up_bias: Array) -> Array:
    return z + gelu(z @ down + down_bias) @ up + up_bias


def sample(plane: Array, ys: Array, xs: Array) -> Array:
    """Bilinear values of `plane` [h, w, c] at pixel-edge coordinates in cells; clamped outside."""

    def along(values: Array, at: Array) -> Array:
        at = np.clip(at - 0.5, 0, len(values) - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, len(values) - 1)
        share = (at - low).reshape(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - share) + values[high] * share

    rows = along(plane, ys)
    return along(rows.swapaxes(0, 1), xs).swapaxes(0, 1)


def resize(plane: Array, height: int, width: int) -> Array:
    """`align_corners=False`."""
    ys = (np.arange(height) + 0.5) * len(plane) / height
    xs = (np.arange(width) + 0.5) * plane.shape[1] / width
    return sample(plane, ys, xs)


def convolve3x3(x: Array, weight: Array, bias: Array) -> Array:
    """x [h, w, c], weight [out, c, 3, 3], zero padding 1."""
    h, w, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    y = np.zeros((h, w, len(weight))) + bias
    for dy in range(3):
        for dx in range(3):
            y += padded[dy : dy + h, dx : dx + w] @ weight[:, :, dy, dx].T
    return y


def windowed(plane: Array, extent: tuple[int, int], window: Window) -> Array:
    """Samples a map that spans `extent` input pixels where the window lies."""
    ys = (np.arange(window.height) + 0.5) * window.scale_y + window.top
    xs = (np.arange(window.width) + 0.5) * window.scale_x + window.left
    return sample(plane, ys * plane.shape[0] / extent[0], xs * plane.shape[1] / extent[1])


def decode(kind: str, samples: Array) -> NDArray[Any]:
    """samples [h, w, classes]."""
    if kind == "labels":
        return samples.argmax(-1)
    if kind == "probability":
        return 1 / (1 + np.exp(-samples[..., 0]))
    if kind == "two_class":
        e = np.exp(samples - samples.max(-1, keepdims=True))
        return e[..., 1] / e.sum(-1)
    if kind == "normals":
        return samples / np.linalg.norm(samples, axis=-1, keepdims=True)
    return np.maximum(samples[..., 0], 0)


class Student:
    """The pass after the stem on one image, from canonical tensors.

    `operand` and `matrix` round the factors of a product as an arithmetic does; here they are
    unchanged.
    """

    def __init__(
        self,
        manifest: Manifest,
        routers: Mapping[str, Tensors],
        heads: Mapping[str, Tensors],
        adapters: Mapping[str, Tensors],
    ) -> None:
        self.manifest = manifest
        parts = [*routers.values(), *heads.values(), *adapters.values()]
        self.tensors = {k: v.astype(np.float64) for part in parts for k, v in part.items()}

    def pair(self, name: str) -> tuple[Array, Array]:
        return self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]

    def operand(self, x: Array) -> Array:
        """Rows [..., k] of a product's left factor."""
        return x

    def matrix(self, weight: Array) -> Array:
        """A product's right factor [k, n]."""
        return weight

    def linear(self, name: str, x: Array) -> Array:
        weight, bias = self.pair(name)
        return self.operand(x) @ self.matrix(weight) + bias

    def path(self, name: str, xs: Sequence[Array]) -> list[Array]:
        """Normed residuals at each level, without the class token."""
        r = np.zeros_like(xs[0])
        out = []
        for i, x in enumerate(xs):
            z = r + x
            hidden = gelu(self.linear(f"tsap.{name}.{i}.down", z))
            r = z + self.linear(f"tsap.{name}.{i}.up", hidden)
            if i - 1 in self.manifest.levels:
                out.append(layer_norm(r[1:], *self.pair(f"norms.{i - 1}.{name}")))
        return out

    def routing(self, task: str, xs: Sequence[Array], present: Collection[str]) -> Array:
        """[levels, 1 + T]."""
        here = np.array([True, *(name in present for name in self.manifest.adapter_names)])
        if self.manifest.architecture.router == "none":
            return np.tile(here.astype(float), (len(self.manifest.levels), 1))
        rows = []
        for level in self.manifest.levels:
            name = f"mor.{level}.{task}"
            hidden = self.linear(f"{name}.hidden", xs[level + 1][1:])
            hidden = gelu(layer_norm(hidden, *self.pair(f"{name}.norm")))
            gate, bias = self.pair(f"{name}.gate")  # on the mean over tokens: not rounded
            logits = (hidden @ gate + bias).mean(0)
            e = np.where(here, np.exp(logits - logits[here].max()), 0.0)
            rows.append(e / e.sum())
        return np.array(rows)

    def map(
        self,
        task: str,
        xs: Sequence[Array],
        present: Collection[str],
        min_weight: float = 0.0,
    ) -> Array:
        """Logits at (H/4, W/4), [h, w, classes]."""
        names = [name for name in self.manifest.adapter_names if name in present]
        paths = {name: self.path(name, xs) for name in names}
        weights = self.routing(task, xs, present)
        size = self.manifest.input_size
        parts = []
        for j, level in enumerate(self.manifest.levels):
            mixed = weights[j, 0] * xs[level + 1][1:]
            for name in names:
                weight = weights[j, 1 + self.manifest.adapter_names.index(name)]
                if weight >= min_weight:
                    mixed = mixed + weight * paths[name][j]
            parts.append(self.linear(f"heads.{task}.linears.{j}", mixed))
        # Rounding comes before the interpolation, which commutes with the convolution.
        grid = self.operand(np.concatenate(parts, -1)).reshape(*self.manifest.grid, -1)
        plane = resize(grid, max(size[0] // 4, 1), max(size[1] // 4, 1))
        fuse, bias = self.pair(f"heads.{task}.fuse")
        columns = np.moveaxis(fuse, 1, 0)  # [Z, F, 3, 3]
        fuse = np.moveaxis(
            self.matrix(columns.reshape(len(columns), -1)).reshape(columns.shape), 0, 1
        )
        fused = gelu(convolve3x3(plane, fuse, bias))
        last, bias = self.pair(f"heads.{task}.last")
        return fused @ last[:, :, 0, 0].T + bias
