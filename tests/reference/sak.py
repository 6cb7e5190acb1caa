"""A SAK student in NumPy float64, straight from the paper: slow, plain, and independent.

It reads an official stage-2 state dict and follows docs/model.md, section 2, step by step: class
token carried through the adapters, router's last linear before the mean, convolution after the
upsampling, BatchNorm as BatchNorm. It shares no code with the converter, the ONNX writer or the
decoder.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ERF_SERIES_LIMIT = 2.5


def erf(x: Array) -> Array:
    """Error function to about 1e-15: Maclaurin series inside, continued fraction outside."""
    a = np.minimum(np.abs(x), 8.0)
    inner = np.minimum(a, _ERF_SERIES_LIMIT)
    term = inner.copy()
    total = inner.copy()
    for n in range(1, 60):
        term *= -inner * inner / n
        total += term / (2 * n + 1)
    near = 2.0 / np.sqrt(np.pi) * total
    outer = np.maximum(a, _ERF_SERIES_LIMIT)
    fraction = np.zeros_like(a)
    for n in range(120, 0, -1):
        fraction = (n / 2.0) / (outer + fraction)
    far = 1.0 - np.exp(-outer * outer) / (np.sqrt(np.pi) * (outer + fraction))
    result: Array = np.sign(x) * np.where(a < _ERF_SERIES_LIMIT, near, far)
    return result


def gelu(x: Array) -> Array:
    return 0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))


def layer_norm(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * weight + bias


def softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def upsample(x: Array, height: int, width: int) -> Array:
    """Bilinear, `align_corners=False`; x is [channels, h, w]."""

    def axis(size_in: int, size_out: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        at = np.clip((np.arange(size_out) + 0.5) * size_in / size_out - 0.5, 0, size_in - 1)
        low = np.floor(at).astype(np.intp)
        return low, np.minimum(low + 1, size_in - 1), at - low

    y0, y1, fy = axis(x.shape[1], height)
    x0, x1, fx = axis(x.shape[2], width)
    rows = x[:, y0] * (1 - fy)[None, :, None] + x[:, y1] * fy[None, :, None]
    return rows[:, :, x0] * (1 - fx) + rows[:, :, x1] * fx


def convolve3x3(x: Array, weight: Array, bias: Array) -> Array:
    """Zero padding 1; x is [in, h, w], weight [out, in, 3, 3]."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:]
    y = np.zeros((weight.shape[0], height, width))
    for dy in range(3):
        for dx in range(3):
            window = padded[:, dy : dy + height, dx : dx + width]
            y += np.tensordot(weight[:, :, dy, dx], window, axes=1)
    return y + bias[:, None, None]


@dataclass(frozen=True)
class ReferenceStudent:
    """An official student: its state dict as NumPy arrays and the order of its parts."""

    state: Mapping[str, NDArray[np.floating]]
    teachers: Sequence[str]
    tasks: Sequence[str]
    attention_heads: int

    def _get(self, name: str) -> Array:
        return np.asarray(self.state[name], dtype=np.float64)

    def _linear(self, name: str, x: Array) -> Array:
        return x @ self._get(f"{name}.weight").T + self._get(f"{name}.bias")

    def _norm(self, name: str, x: Array, eps: float) -> Array:
        return layer_norm(x, self._get(f"{name}.weight"), self._get(f"{name}.bias"), eps)

    @property
    def blocks(self) -> int:
        return 1 + max(
            int(key.split(".")[3]) for key in self.state if key.startswith("backbone.vit.blocks.")
        )

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(self.blocks // 4 * (i + 1) - 1 for i in range(4))

    def stem(self, image: Array) -> list[Array]:
        """x⁰ … x^D, each [1 + L, C], of one normalised image [3, H, W]."""
        kernel = self._get("backbone.vit.patch_embed.proj.weight")
        width, _, patch, _ = kernel.shape
        rows, columns = image.shape[1] // patch, image.shape[2] // patch
        patches = image.reshape(3, rows, patch, columns, patch).transpose(1, 3, 0, 2, 4)
        tokens = patches.reshape(rows * columns, -1) @ kernel.reshape(width, -1).T
        tokens = tokens + self._get("backbone.vit.patch_embed.proj.bias")
        x = np.concatenate([self._get("backbone.vit.cls_token")[0], tokens])
        x = x + self._get("backbone.vit.pos_embed")[0]
        outputs = [x]
        for i in range(self.blocks):
            block = f"backbone.vit.blocks.{i}"
            x = x + self._attention(f"{block}.attn", self._norm(f"{block}.norm1", x, 1e-6))
            hidden = gelu(self._linear(f"{block}.mlp.fc1", self._norm(f"{block}.norm2", x, 1e-6)))
            x = x + self._linear(f"{block}.mlp.fc2", hidden)
            outputs.append(x)
        return outputs

    def _attention(self, name: str, x: Array) -> Array:
        count, width = x.shape
        qkv = self._linear(f"{name}.qkv", x)
        q, k, v = qkv.reshape(count, 3, self.attention_heads, -1).transpose(1, 2, 0, 3)
        weights = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1]))
        return self._linear(f"{name}.proj", (weights @ v).transpose(1, 0, 2).reshape(count, width))

    def path(self, teacher: str, outputs: Sequence[Array]) -> dict[int, Array]:
        """The adapter path of one teacher: level → s, [L, C]."""

        def adapter(i: int, z: Array) -> Array:
            name = f"backbone.tsap.{teacher}.{i}"
            up = self._linear(f"{name}.up", gelu(self._linear(f"{name}.down", z)))
            return z + self._get(f"{name}.scale") * up

        r = adapter(0, outputs[0])
        features = {}
        for i in range(self.blocks):
            r = adapter(i + 1, r + outputs[i + 1])
            if i in self.levels:
                features[i] = self._norm(f"backbone.out_norms.{i}_{teacher}", r[1:], 1e-5)
        return features

    def route(self, task: str, level: int, v: Array, present: Collection[str]) -> Array:
        """Weights of stem and teachers, [1 + T]; a missing teacher has logit minus infinity."""
        there = np.array([True, *(teacher in present for teacher in self.teachers)])
        name = f"backbone.mor.{level}_{task}.router.module"
        if f"{name}.0.weight" not in self.state:
            return there.astype(np.float64)
        hidden = gelu(self._norm(f"{name}.1", self._linear(f"{name}.0", v), 1e-5))
        logits = self._linear(f"{name}.3", hidden).mean(axis=0)[: 1 + len(self.teachers)]
        return softmax(np.where(there, logits, -np.inf))

    def head(self, task: str, levels: Sequence[Array], size: tuple[int, int]) -> Array:
        """Logits [classes, H, W] from the mixed features of the four levels, each [L, C]."""
        height, width = size
        patch = self._get("backbone.vit.patch_embed.proj.weight").shape[-1]
        maps = []
        for j, feature in enumerate(levels):
            z = self._linear(f"heads.{task}.linears.{j}", feature)
            grid = z.T.reshape(-1, height // patch, width // patch)
            maps.append(upsample(grid, height // 4, width // 4))
        y = convolve3x3(
            np.concatenate(maps),
            self._get(f"heads.{task}.linear_fuse.0.weight"),
            self._get(f"heads.{task}.linear_fuse.0.bias"),
        )
        norm = f"heads.{task}.linear_fuse.1"
        mean, variance = self._get(f"{norm}.running_mean"), self._get(f"{norm}.running_var")
        scale = self._get(f"{norm}.weight") / np.sqrt(variance + 1e-5)
        y = (y - mean[:, None, None]) * scale[:, None, None]
        y = gelu(y + self._get(f"{norm}.bias")[:, None, None])
        last = self._get(f"heads.{task}.last_conv.weight")[:, :, 0, 0]
        logits = np.tensordot(last, y, axes=1)
        logits += self._get(f"heads.{task}.last_conv.bias")[:, None, None]
        return upsample(logits, height, width)

    def __call__(
        self,
        image: NDArray[np.floating],
        *,
        adapters: Collection[str] | None = None,
        tasks: Collection[str] | None = None,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Logits [classes, H, W] and routing [levels, 1 + T] per task, of one image [3, H, W]."""
        present = set(self.teachers) if adapters is None else set(adapters)
        image = np.asarray(image, dtype=np.float64)
        outputs = self.stem(image)
        paths = {t: self.path(t, outputs) for t in self.teachers if t in present}
        logits, routing = {}, {}
        for task in self.tasks if tasks is None else tasks:
            mixed, weights = [], []
            for level in self.levels:
                v = outputs[level + 1][1:]
                p = self.route(task, level, v, present)
                f = p[0] * v
                for t, teacher in enumerate(self.teachers):
                    if teacher in paths:
                        f = f + p[1 + t] * paths[teacher][level]
                mixed.append(f)
                weights.append(p)
            logits[task] = self.head(task, mixed, (image.shape[1], image.shape[2]))
            routing[task] = np.stack(weights)
        return logits, routing
