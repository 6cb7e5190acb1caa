"""The tiny student in float64, and how far 16-bit or int8 arithmetic may be off it.

Weights are those that the device holds, rounded once. Every value that the device rounds is
rounded here by `Rounding`, or perturbed at random by as much: errors of some thousand roundings add
up like independent ones, so that eight standard deviations of the sum are never exceeded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from tests.cuda.emulator import bfloat16, floats
from tests.cuda.student.model import MEAN, STD, Student

Array = NDArray[np.float64]
UNIT = {"f16": 2.0**-11, "bf16": 2.0**-8, "s8": 2.0**-11}
DEVIATIONS = 8.0
TRIALS = 6


class Noise:
    """What the device's arithmetic does to values; without a generator nothing."""

    def __init__(self, arithmetic: str, rng: np.random.Generator | None = None) -> None:
        self._arithmetic, self._rng = arithmetic, rng

    def __call__(self, x: Array) -> Array:
        """A value that is rounded to 16 bits: off by at most half a unit in the last place."""
        if self._rng is None:
            return x
        return x * (1 + UNIT[self._arithmetic] * self._rng.uniform(-1, 1, x.shape))

    def after_norm(self, x: Array) -> Array:
        """A row that is rounded to int8, if the arithmetic is: off by half a step."""
        if self._arithmetic != "s8" or self._rng is None:
            return self(x)
        step = np.abs(x).max(-1, keepdims=True) / 127
        return x + step * self._rng.uniform(-0.5, 0.5, x.shape)

    def weight(self, w: NDArray[Any], int8: bool = False) -> Array:
        """A matrix [in, out] as the device holds it."""
        if self._arithmetic == "bf16":
            return floats(bfloat16(w.astype(np.float32))).astype(np.float64)
        if self._arithmetic == "s8" and int8:
            w = w.astype(np.float64)
            step = (np.abs(w).max(0) / 127).astype(np.float32).astype(np.float64)
            return np.rint(w / step) * step
        return w.astype(np.float16).astype(np.float64)


def gelu(x: Array) -> Array:
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def norm(x: Array, gamma: NDArray[Any], beta: NDArray[Any], epsilon: float) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * gamma + beta


def inputs(picture: NDArray[Any], size: tuple[int, int], top: int, left: int) -> Array:
    """A uint8 picture, normalised and placed: [3, height, width]."""
    full = np.zeros((3, *size))
    values = (picture / 255.0 - MEAN) / STD
    h, w = picture.shape[:2]
    full[:, top : top + h, left : left + w] = values.transpose(2, 0, 1)
    return full


@dataclass
class Result:
    maps: dict[str, Array]  # [map height, map width, classes]
    routing: dict[str, Array]  # [levels, experts]


class Reference:
    """The forward pass of docs/model.md."""

    def __init__(self, student: Student, arithmetic: str) -> None:
        self._student, self._arithmetic = student, arithmetic

    def run(
        self,
        image: Array,
        adapters: tuple[str | None, ...] = ("a", "b"),
        tasks: tuple[str, ...] | None = None,
        rng: np.random.Generator | None = None,
    ) -> Result:
        noise = Noise(self._arithmetic, rng)
        stages = self._stem(image, noise)
        chosen = [t[0] for t in self._student.spec.tasks if tasks is None or t[0] in tasks]
        sources = [None if a is None else self._path(a, stages, noise) for a in adapters]
        result = Result({}, {})
        for task in chosen:
            result.routing[task] = self._routing(task, stages, sources, noise)
            result.maps[task] = self._head(task, stages, sources, result.routing[task], noise)
        return result

    def deviation(self, exact: Result, run: Callable[..., Result]) -> Result:
        """Standard deviations of a result's errors, each value's and at least that of all."""
        runs = [run(rng=np.random.default_rng(seed)) for seed in range(TRIALS)]

        def spread(of: Callable[[Result], Array]) -> Array:
            squares = np.mean([(of(r) - of(exact)) ** 2 for r in runs], axis=0)
            return np.asarray(np.sqrt(np.maximum(squares, squares.mean())))

        return Result(
            {task: spread(lambda r, t=task: r.maps[t]) for task in exact.maps},
            {task: spread(lambda r, t=task: r.routing[t]) for task in exact.routing},
        )

    def _linear(self, x: Array, tensors: Any, name: str, noise: Noise, int8: bool = False) -> Array:
        w = noise.weight(tensors[f"{name}.weight"], int8)
        return x @ w + tensors[f"{name}.bias"]

    def _stem(self, image: Array, noise: Noise) -> list[Array]:
        t, spec = self._student.stem, self._student.spec
        h, w = spec.grid
        patches = image.reshape(3, h, 16, w, 16).transpose(1, 3, 0, 2, 4).reshape(h * w, 768)
        kernel = noise.weight(t["patch_embed.weight"].T)
        tokens = noise(patches) @ kernel + t["patch_embed.bias"]
        x = np.concatenate([t["cls_token"][None].astype(np.float64), tokens]) + t["pos_embed"]
        stages = [x]
        for i in range(spec.blocks):
            normed = norm(x, t[f"{i}.norm1.weight"], t[f"{i}.norm1.bias"], 1e-6)
            qkv = noise(self._linear(noise.after_norm(normed), t, f"{i}.attn.qkv", noise, True))
            q, k, v = np.split(qkv, 3, -1)
            scores = q @ k.T / 8.0
            weights = noise(np.exp(scores - scores.max(-1, keepdims=True)))
            attended = noise(weights @ v / weights.sum(-1, keepdims=True))
            x = x + self._linear(attended, t, f"{i}.attn.proj", noise)
            normed = norm(x, t[f"{i}.norm2.weight"], t[f"{i}.norm2.bias"], 1e-6)
            hidden = self._linear(noise.after_norm(normed), t, f"{i}.mlp.fc1", noise, True)
            x = x + self._linear(noise(gelu(hidden)), t, f"{i}.mlp.fc2", noise)
            stages.append(x)
        return stages

    def _path(self, name: str, stages: list[Array], noise: Noise) -> list[Array]:
        """What a path contributes at each level."""
        t, spec = self._student.parts.adapters[name], self._student.spec
        r = np.zeros_like(stages[0][1:])
        found = []
        for i, x in enumerate(stages):
            z = r + x[1:]
            hidden = noise(gelu(self._linear(noise(z), t, f"tsap.{name}.{i}.down", noise)))
            r = z + self._linear(hidden, t, f"tsap.{name}.{i}.up", noise)
            if i - 1 in spec.levels:
                place = f"norms.{i - 1}.{name}"
                found.append(noise(norm(r, t[f"{place}.weight"], t[f"{place}.bias"], 1e-5)))
        return found

    def _routing(self, task: str, stages: list[Array], sources: list[Any], noise: Noise) -> Array:
        t, spec = self._student.parts.routers[task], self._student.spec
        present = np.array([True, *(s is not None for s in sources)])
        rows = []
        for level in spec.levels:
            place = f"mor.{level}.{task}"
            hidden = self._linear(noise(stages[level + 1][1:]), t, f"{place}.hidden", noise)
            normed = norm(hidden, t[f"{place}.norm.weight"], t[f"{place}.norm.bias"], 1e-5)
            logits = gelu(normed).mean(0) @ t[f"{place}.gate.weight"] + t[f"{place}.gate.bias"]
            e = np.where(present, np.exp(logits - logits.max()), 0.0)
            rows.append(e / e.sum())
        return np.stack(rows)

    def _head(
        self, task: str, stages: list[Array], sources: list[Any], routing: Array, noise: Noise
    ) -> Array:
        t, spec = self._student.parts.heads[task], self._student.spec
        h, w = spec.grid
        parts = []
        for j, level in enumerate(spec.levels):
            mixed = routing[j, 0] * stages[level + 1][1:]
            for weight, source in zip(routing[j, 1:], sources, strict=True):
                if source is not None:
                    mixed = mixed + weight * source[j]
            parts.append(noise(self._linear(noise(mixed), t, f"heads.{task}.linears.{j}", noise)))
        z = noise.after_norm(np.concatenate(parts, -1))
        fuse = t[f"heads.{task}.fuse.weight"]  # [F, Z, 3, 3]
        f = len(fuse)
        # An int8 fuse has a scale for each F, over all its taps and inputs; here for each row of
        # its taps, as a float source is quantised.
        rows = noise.weight(fuse.transpose(1, 2, 3, 0).reshape(z.shape[1], 9 * f), True)
        taps = noise(z @ rows).reshape(h, w, 3, 3, f)
        y = _expand(taps) + t[f"heads.{task}.fuse.bias"]
        last = noise.weight(t[f"heads.{task}.last.weight"].reshape(-1, f).T)
        return noise(gelu(y)) @ last + t[f"heads.{task}.last.bias"]


def _expand(taps: Array) -> Array:
    """Nine taps [h, w, 3, 3, F] at four times the grid, summed (docs/algebra.md, 1)."""
    h, w = taps.shape[:2]
    out = np.zeros((4 * h, 4 * w, taps.shape[-1]))
    up_rows, up_columns = _upsampling(h), _upsampling(w)
    for dy in range(3):
        for dx in range(3):
            full = np.einsum("yi,xj,ijf->yxf", up_rows, up_columns, taps[:, :, dy, dx])
            padded = np.pad(full, ((1, 1), (1, 1), (0, 0)))
            out += padded[dy : dy + 4 * h, dx : dx + 4 * w]
    return out


def _upsampling(cells: int) -> Array:
    """[4 cells, cells]: bilinear, align_corners=False."""
    return sampling(cells, 4 * cells, np.arange(4 * cells) + 0.5)


def sampling(cells: int, extent: int, at: Array) -> Array:
    """[len(at), cells]: a map of so many cells that spans `extent`, at those positions."""
    position = np.clip(at * cells / extent - 0.5, 0, cells - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, cells - 1)
    matrix = np.zeros((len(at), cells))
    rows = np.arange(len(at))
    np.add.at(matrix, (rows, low), 1 - (position - low))
    np.add.at(matrix, (rows, high), position - low)
    return matrix
