"""Official names and layouts to ours: what is expected, and how each of our tensors is made.

Linear layers are transposed to [in, out], the adapters' scale goes into `up`, BatchNorm into the
convolution before it, and the routers' noise rows are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.convert.state import Array
from sakedge.errors import CheckpointError
from sakedge.format import Manifest
from sakedge.format.layout import NORM_EPS

Shape = tuple[int, ...]
Read = Callable[[str], Array]
"""Reads an official tensor by name, checked."""
Recipe = Callable[[Read], NDArray[np.float32]]


class StoredTensors(Mapping[str, NDArray[Any]]):
    """One component's tensors by canonical name, each made when asked for and not kept.

    Args:
        recipes: How to make each.
        read: Reads an official tensor.
        dtype: `fp32` or `fp16`, as stored.
    """

    def __init__(self, recipes: Mapping[str, Recipe], read: Read, dtype: str) -> None:
        self._recipes = recipes
        self._read = read
        self._half = dtype == "fp16"

    def __getitem__(self, name: str) -> NDArray[Any]:
        values = self._recipes[name](self._read)
        if not self._half:
            return values
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise CheckpointError(f"{name} does not fit in fp16", remedy="Convert to fp32")
        return values.astype(np.float16)

    def __iter__(self) -> Iterator[str]:
        return iter(self._recipes)

    def __len__(self) -> int:
        return len(self._recipes)


class OfficialLayout:
    """The official state dict of a student and its mapping to ours.

    Attributes:
        expected: Every official entry and its shape.
        recipes: Per component, how to make each of its tensors.
    """

    def __init__(self, manifest: Manifest, *, noisy: bool) -> None:
        self.expected: dict[str, Shape] = {}
        self.recipes: dict[str, dict[str, Recipe]] = {}
        self._manifest = manifest
        self._current: dict[str, Recipe] = {}
        self._stem()
        for adapter in manifest.adapters:
            self._adapter(adapter.name, adapter.hidden)
        if manifest.architecture.is_routed:
            for task in manifest.tasks:
                self._routers(task.name, noisy=noisy)
        for task in manifest.tasks:
            self._head(task.name, task.classes)

    def _begin(self, component: str) -> None:
        self._current = self.recipes[component] = {}

    def _plain(self, ours: str, official: str, shape: Shape) -> None:
        self.expected[official] = shape
        self._current[ours] = lambda read: read(official)

    def _norm(self, ours: str, official: str, width: int) -> None:
        for part in ("weight", "bias"):
            self._plain(f"{ours}.{part}", f"{official}.{part}", (width,))

    def _linear(self, ours: str, official: str, inputs: int, outputs: int) -> None:
        weight = f"{official}.weight"
        self.expected[weight] = (outputs, inputs)
        self._current[f"{ours}.weight"] = lambda read: read(weight).T
        self._plain(f"{ours}.bias", f"{official}.bias", (outputs,))

    def _stem(self) -> None:
        self._begin("stem")
        arch = self._manifest.architecture
        c, p = arch.width, arch.patch
        rows, columns = self._manifest.grid
        vit = "backbone.vit"
        self._plain("stem.cls_token", f"{vit}.cls_token", (1, 1, c))
        self._plain("stem.pos_embed", f"{vit}.pos_embed", (1, 1 + rows * columns, c))
        self._plain("stem.patch_embed.weight", f"{vit}.patch_embed.proj.weight", (c, 3, p, p))
        self._plain("stem.patch_embed.bias", f"{vit}.patch_embed.proj.bias", (c,))
        for i in range(arch.blocks):
            ours, official = f"stem.blocks.{i}", f"{vit}.blocks.{i}"
            self._norm(f"{ours}.norm1", f"{official}.norm1", c)
            self._norm(f"{ours}.norm2", f"{official}.norm2", c)
            self._linear(f"{ours}.attn.qkv", f"{official}.attn.qkv", c, 3 * c)
            self._linear(f"{ours}.attn.proj", f"{official}.attn.proj", c, c)
            self._linear(f"{ours}.mlp.fc1", f"{official}.mlp.fc1", c, arch.mlp)
            self._linear(f"{ours}.mlp.fc2", f"{official}.mlp.fc2", arch.mlp, c)

    def _adapter(self, name: str, hidden: int) -> None:
        self._begin(f"adapters.{name}")
        c = self._manifest.architecture.width
        for i in range(self._manifest.architecture.blocks + 1):
            ours, official = f"tsap.{name}.{i}", f"backbone.tsap.{name}.{i}"
            self._linear(f"{ours}.down", f"{official}.down", c, hidden)
            self._scaled_linear(f"{ours}.up", official, hidden, c)
        for level in self._manifest.levels:
            self._norm(f"norms.{level}.{name}", f"backbone.out_norms.{level}_{name}", c)

    def _scaled_linear(self, ours: str, official: str, inputs: int, outputs: int) -> None:
        """Folds the scale: scale · (up x + bias) = (scale · up) x + scale · bias."""
        weight, bias, scale = (f"{official}.{part}" for part in ("up.weight", "up.bias", "scale"))
        self.expected |= {weight: (outputs, inputs), bias: (outputs,), scale: (1,)}
        self._current[f"{ours}.weight"] = lambda read: (read(weight) * read(scale)).T
        self._current[f"{ours}.bias"] = lambda read: read(bias) * read(scale)

    def _routers(self, task: str, *, noisy: bool) -> None:
        self._begin(f"routers.{task}")
        c, experts = self._manifest.architecture.width, 1 + len(self._manifest.adapters)
        rows = 2 * experts if noisy else experts
        for level in self._manifest.levels:
            ours = f"mor.{level}.{task}"
            official = f"backbone.mor.{level}_{task}.router.module"
            self._linear(f"{ours}.hidden", f"{official}.0", c, c // 2)
            self._norm(f"{ours}.norm", f"{official}.1", c // 2)
            self._gate(f"{ours}.gate", f"{official}.3", c // 2, experts, rows)

    def _gate(self, ours: str, official: str, inputs: int, experts: int, rows: int) -> None:
        """The clean logits' rows; those after them are the noise of training."""
        weight, bias = f"{official}.weight", f"{official}.bias"
        self.expected |= {weight: (rows, inputs), bias: (rows,)}
        self._current[f"{ours}.weight"] = lambda read: read(weight)[:experts].T
        self._current[f"{ours}.bias"] = lambda read: read(bias)[:experts]

    def _head(self, task: str, classes: int) -> None:
        self._begin(f"heads.{task}")
        c, levels = self._manifest.architecture.width, len(self._manifest.levels)
        head = f"heads.{task}"
        for j in range(levels):
            self._linear(f"{head}.linears.{j}", f"{head}.linears.{j}", c, c // 4)
        self._folded_conv(f"{head}.fuse", f"{head}.linear_fuse", levels * (c // 4), c)
        self._plain(f"{head}.last.weight", f"{head}.last_conv.weight", (classes, c, 1, 1))
        self._plain(f"{head}.last.bias", f"{head}.last_conv.bias", (classes,))

    def _folded_conv(self, ours: str, official: str, inputs: int, outputs: int) -> None:
        """Folds BatchNorm into the convolution.

        With the gain g = weight / sqrt(variance + eps), g (conv(x) + b - mean) + bias is again a
        convolution, of kernel g · W and bias g (b - mean) + bias.
        """
        conv, norm = f"{official}.0", f"{official}.1"
        self.expected[f"{conv}.weight"] = (outputs, inputs, 3, 3)
        self.expected[f"{conv}.bias"] = (outputs,)
        for part in ("weight", "bias", "running_mean", "running_var"):
            self.expected[f"{norm}.{part}"] = (outputs,)
        self.expected[f"{norm}.num_batches_tracked"] = ()

        def gain(read: Read) -> NDArray[np.float64]:
            variance = read(f"{norm}.running_var").astype(np.float64)
            if variance.min() < 0:
                raise CheckpointError(f"{norm}.running_var holds a negative variance")
            return read(f"{norm}.weight") / np.sqrt(variance + NORM_EPS)

        def weight(read: Read) -> Array:
            return read(f"{conv}.weight") * gain(read).astype(np.float32)[:, None, None, None]

        def bias(read: Read) -> Array:
            shifted = read(f"{conv}.bias") - read(f"{norm}.running_mean").astype(np.float64)
            return (gain(read) * shifted + read(f"{norm}.bias")).astype(np.float32)

        self._current[f"{ours}.weight"] = weight
        self._current[f"{ours}.bias"] = bias
