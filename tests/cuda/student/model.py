"""A tiny student with random weights: its tensors, and its parts as `sakedge._cuda` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.kernels.students import RandomStudent, Spec, Tensors, make_student

from sakedge import _cuda

# One attention head; bottlenecks, levels and fused channels that must be padded.
SPEC = Spec(
    width=64,
    blocks=2,
    levels=(0, 1),
    grid=(4, 4),
    adapters={"a": 16, "b": 9},
    hidden=12,
    reduced=12,
    fused=20,
)
MLP = 128
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass
class Student:
    """Tensors by canonical name; `parts` holds those after the stem."""

    stem: Tensors
    parts: RandomStudent

    @property
    def spec(self) -> Spec:
        return self.parts.spec

    @property
    def input_size(self) -> tuple[int, int]:
        return self.parts.manifest.input_size


def tiny(seed: int = 0, **more: Any) -> Student:
    spec = Spec(**(vars(SPEC) | {"seed": seed} | more))
    rng = np.random.default_rng(1000 + seed)
    c = spec.width

    def normal(*shape: int, std: float) -> NDArray[np.float32]:
        return rng.standard_normal(shape, np.float32) * np.float32(std)

    tokens = 1 + spec.grid[0] * spec.grid[1]
    stem: Tensors = {
        "cls_token": normal(c, std=0.5),
        "pos_embed": normal(tokens, c, std=0.5),
        "patch_embed.weight": normal(c, 768, std=768**-0.5),
        "patch_embed.bias": normal(c, std=0.1),
    }
    layers = {"attn.qkv": (c, 3 * c), "attn.proj": (c, c), "mlp.fc1": (c, MLP), "mlp.fc2": (MLP, c)}
    for i in range(spec.blocks):
        for norm in ("norm1", "norm2"):
            stem[f"{i}.{norm}.weight"] = 1 + normal(c, std=0.2)
            stem[f"{i}.{norm}.bias"] = normal(c, std=0.2)
        for layer, (rows, columns) in layers.items():
            stem[f"{i}.{layer}.weight"] = normal(rows, columns, std=rows**-0.5)
            stem[f"{i}.{layer}.bias"] = normal(columns, std=0.1)
    return Student(stem, make_student(spec))


def integers_of(w: NDArray[Any], axis: int = 0) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A weight in int8, the largest of each output channel 127, in units of powers of two."""
    largest = np.abs(w).max(axis, keepdims=True)
    integers = np.rint(w / largest * 127).astype(np.int8)
    scales = np.exp2(np.ceil(np.log2(largest)) - 7)
    return integers, scales.astype(np.float32).reshape(-1)


def is_int8(name: str) -> bool:
    """Whether an int8 student has a tensor as integers."""
    layers = ("qkv", "proj", "fc1", "fc2", "down", "up", "hidden", "fuse")
    parts = name.split(".")
    return (
        parts[-1] == "weight"
        and (parts[-2] in layers or "linears" in parts)
        and (parts[0] != "patch_embed")
    )


def _dequantised(name: str, w: NDArray[Any]) -> NDArray[Any]:
    if not is_int8(name):
        return w
    kernel = w.ndim == 4
    integers, scales = integers_of(w.reshape(len(w), -1) if kernel else w, 1 if kernel else 0)
    floats = integers * (scales[:, None] if kernel else scales)
    return floats.astype(np.float32).reshape(w.shape)


def _pair(tensors: Tensors, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    return tensors[f"{name}.weight"], tensors[f"{name}.bias"]


class Packer:
    """Parts of a student in device memory; `integers`: of a student of int8 weights."""

    def __init__(
        self, device: _cuda.Device, student: Student, arithmetic: str, integers: bool = False
    ) -> None:
        spec = student.spec
        self.student, self._arithmetic, self.device = student, arithmetic, device
        self._integers = integers
        self.geometry = _cuda.Geometry(
            channels=spec.width,
            blocks=spec.blocks,
            heads=1,
            levels=spec.levels,
            grid=spec.grid,
            input_size=student.input_size,
        )

    def stem(self) -> _cuda.Stem:
        t = self.student.stem
        layers = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
        blocks = range(self.student.spec.blocks)
        return _cuda.Stem(
            self.device,
            self.geometry,
            self._arithmetic,
            _pair(t, "patch_embed"),
            t["cls_token"],
            t["pos_embed"],
            [tuple(self._layer(t, f"{i}.{n}") for n in layers) for i in blocks],
        )

    def path(self, name: str) -> _cuda.AdapterPath:
        t, spec = self.student.parts.adapters[name], self.student.spec
        places = [f"tsap.{name}.{i}" for i in range(spec.blocks + 1)]
        return _cuda.AdapterPath(
            self.device,
            self.geometry,
            self._arithmetic,
            [(self._layer(t, f"{p}.down"), self._layer(t, f"{p}.up")) for p in places],
            [_pair(t, f"norms.{level}.{name}") for level in spec.levels],
        )

    def router(self, task: str) -> _cuda.Router:
        t = self.student.parts.routers[task]
        return _cuda.Router(
            self.device,
            self.geometry,
            self._arithmetic,
            [
                tuple(self._layer(t, f"mor.{level}.{task}.{n}") for n in ("hidden", "norm", "gate"))
                for level in self.student.spec.levels
            ],
        )

    def head(self, task: str) -> _cuda.Head:
        t, spec = self.student.parts.heads[task], self.student.spec
        fuse, fuse_bias = _pair(t, f"heads.{task}.fuse")
        kernel: Any = fuse.reshape(len(fuse), -1)
        last, last_bias = _pair(t, f"heads.{task}.last")
        return _cuda.Head(
            self.device,
            self.geometry,
            self._arithmetic,
            [self._layer(t, f"heads.{task}.linears.{j}") for j in range(len(spec.levels))],
            (integers_of(kernel, 1) if self._integers else kernel, fuse_bias),
            (last.reshape(len(last), -1), last_bias),
        )

    def snapshot(
        self, adapters: tuple[str | None, ...] = ("a", "b"), tasks: tuple[str, ...] | None = None
    ) -> _cuda.Snapshot:
        """Its adapters by slot, None for one that takes no part, and tasks; all unless given."""
        paths = [None if name is None else self.path(name) for name in adapters]
        chosen = [t for t in self.student.spec.tasks if tasks is None or t[0] in tasks]
        parts = [(kind, self.head(name), self.router(name)) for name, kind, _ in chosen]
        return _cuda.Snapshot(paths, parts)

    def dequantised(self) -> Student:
        """The student whose float weights are what `integers` gives."""
        parts = self.student.parts
        return Student(
            {n: _dequantised(n, w) for n, w in self.student.stem.items()},
            RandomStudent(
                parts.manifest,
                *(
                    {k: {n: _dequantised(n, w) for n, w in t.items()} for k, t in kind.items()}
                    for kind in (parts.routers, parts.heads, parts.adapters)
                ),
                parts.spec,
            ),
        )

    def _layer(self, tensors: Tensors, name: str) -> Any:
        """A layer, or the affine part of a LayerNorm."""
        w, bias = _pair(tensors, name)
        return (integers_of(w) if self._integers and is_int8(f"{name}.weight") else w), bias

    def model(self, graphs: int = 4) -> _cuda.Student:
        return _cuda.Student(self.device, self.geometry, self.stem(), MEAN, STD, graphs)
