"""Official-layout stage-2 checkpoints with random weights, of any size.

Scaled so that a float32 runtime can be checked against float64: activations and logits are of order
1, BatchNorm statistics, adapter scales and routing weights are far from trivial.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

Array = NDArray[np.float32]

# width, blocks, attention heads
SIZES = {
    "vit_tiny": (192, 12, 3),
    "vit_small": (384, 12, 6),
    "vit_base": (768, 12, 12),
    "vit_large": (1024, 24, 16),
}
DATASETS: dict[str, tuple[tuple[int, int], dict[str, int]]] = {
    "pascalcontext": (
        (512, 512),
        {"semseg": 21, "human_parts": 7, "normals": 3, "edge": 1, "sal": 2},
    ),
    "nyud": ((448, 576), {"semseg": 40, "normals": 3, "edge": 1, "depth": 1}),
}
SITE_SIZE = (64, 96)
SITE_TASKS: list[dict[str, Any]] = [
    {
        "name": "defects",
        "kind": "labels",
        "classes": 4,
        "labels": ["sound", "scratch", "dent", "stain"],
        "colors": [[20, 20, 20], [250, 200, 60], [70, 170, 240], [170, 110, 60]],
    },
    {"name": "edge", "kind": "probability", "classes": 1},
    {"name": "sal", "kind": "two_class", "classes": 2},
    {"name": "normals", "kind": "normals", "classes": 3},
    {"name": "height", "kind": "scalar", "classes": 1, "unit": "mm"},
]


class _Random:
    """Draws weights by what they are for."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape: int, std: float) -> Array:
        values = self.rng.standard_normal(shape, dtype=np.float32)
        values *= np.float32(std)
        return values

    def uniform(self, *shape: int, low: float, high: float) -> Array:
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def linear(self, name: str, inputs: int, outputs: int, gain: float = 1.0) -> Iterator[Any]:
        yield f"{name}.weight", self.normal(outputs, inputs, std=gain / inputs**0.5)
        yield f"{name}.bias", self.normal(outputs, std=0.1)

    def norm(self, name: str, width: int) -> Iterator[Any]:
        yield f"{name}.weight", self.uniform(width, low=0.6, high=1.4)
        yield f"{name}.bias", self.normal(width, std=0.2)


def make_checkpoint(
    folder: Path,
    *,
    vit: str = "vit_tiny",
    dataset: str | None = None,
    input_size: tuple[int, int] | None = None,
    teachers: Sequence[str] = ("dino", "sam"),
    tasks: Sequence[str] | None = None,
    router: str = "mor",
    noisy: bool = True,
    aligners: bool = False,
    lora: bool = False,
    seed: int = 0,
    width: int | None = None,
    blocks: int | None = None,
    attention_heads: int | None = None,
    site_tasks: Sequence[dict[str, Any]] = SITE_TASKS,
) -> tuple[Path, Path]:
    """Writes `checkpoint.pth` and `config.yml` into `folder` and returns their paths.

    Args:
        folder: Where they go.
        vit: `vit_tiny`, `vit_small`, `vit_base` or `vit_large`.
        dataset: `pascalcontext` or `nyud`; None is a site's own data set with a task of each kind.
        input_size: Height and width; by default the data set's (small for a site's own).
        teachers: Names in the order of the experts.
        tasks: Some of the data set's tasks; by default all.
        router: `mor` or `none`.
        noisy: Whether routers carry the rows of noisy gating.
        aligners: Whether the student was distilled with aligners.
        lora: Whether the attention's matrices are LoRA-wrapped, as peft saves them.
        seed: Of the weights.
        width: Embedding width other than the vit's, for very small students.
        blocks: Number of blocks other than the vit's; a multiple of 4.
        attention_heads: Number of attention heads other than the vit's.
        site_tasks: Of a site's own data set, as its config.yml lists them.
    """
    own_width, own_blocks, _ = SIZES[vit]
    channels = {task["name"]: task["classes"] for task in site_tasks}
    size = SITE_SIZE
    if dataset is not None:
        size, channels = DATASETS[dataset]
    chosen = {name: channels[name] for name in (tasks or channels)}
    size = input_size or size
    backbone: dict[str, Any] = {
        "backbone_type": "sak",
        "vit_name": vit,
        "down_ratio": 4,
        "aligner": aligners,
        "router_type": router,
        "noisy_gating": noisy,
    }
    given = {"embed_dim": width, "depth": blocks, "num_heads": attention_heads}
    backbone |= {key: value for key, value in given.items() if value is not None}
    if lora:
        backbone["lora_config"] = {"r": 4, "lora_alpha": 6, "target_modules": ["qkv", "proj"]}
    config: dict[str, Any] = {
        "dataset": dataset or "site",
        "task_dict": dict.fromkeys(chosen, 1),
        "teachers": {name: {"backbone_type": f"{name}_base"} for name in teachers},
        "student": {"backbone": backbone},
    }
    if dataset is None:
        config["tasks"] = [task for task in site_tasks if task["name"] in chosen]
    if dataset is None or size != DATASETS[dataset][0]:
        config["input_size"] = list(size)

    random = _Random(seed)
    c, d = width or own_width, blocks or own_blocks
    state: dict[str, Array | NDArray[np.int64]] = {}
    vit_state = dict(_stem(random, c, d, size))
    state |= _lora_wrapped(random, vit_state) if lora else vit_state
    levels = [d // 4 * (i + 1) - 1 for i in range(4)]
    state |= dict(_paths(random, c, d, levels, teachers, aligners))
    if router == "mor":
        experts = (1 + len(teachers)) * (2 if noisy else 1)
        state |= dict(_routers(random, c, levels, chosen, experts))
    state |= dict(_heads(random, c, chosen))

    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, config_path = folder / "checkpoint.pth", folder / "config.yml"
    save_state(checkpoint, state)
    config_path.write_text(yaml.safe_dump(config, sort_keys=False))
    return checkpoint, config_path


def save_state(checkpoint: Path, state: dict[str, NDArray[Any]]) -> None:
    """Writes a state dict as the official training does."""
    model = {name: torch.from_numpy(np.asarray(values)) for name, values in state.items()}
    whole = {"model": model, "optimizer": {}, "scheduler": {}, "epoch": 0, "iter_count": 1}
    torch.save(whole, checkpoint)


def load_state(checkpoint: Path) -> dict[str, NDArray[Any]]:
    """Reads a checkpoint's state dict as NumPy arrays."""
    model = torch.load(checkpoint, weights_only=True)["model"]
    return {name: values.numpy() for name, values in model.items()}


def _stem(random: _Random, c: int, d: int, size: tuple[int, int]) -> Iterator[Any]:
    vit = "backbone.vit"
    tokens = 1 + size[0] // 16 * (size[1] // 16)
    yield f"{vit}.cls_token", random.normal(1, 1, c, std=0.5)
    yield f"{vit}.pos_embed", random.normal(1, tokens, c, std=0.5)
    yield f"{vit}.patch_embed.proj.weight", random.normal(c, 3, 16, 16, std=1 / 768**0.5)
    yield f"{vit}.patch_embed.proj.bias", random.normal(c, std=0.1)
    for i in range(d):
        block = f"{vit}.blocks.{i}"
        yield from random.norm(f"{block}.norm1", c)
        yield from random.linear(f"{block}.attn.qkv", c, 3 * c)
        yield from random.linear(f"{block}.attn.proj", c, c, gain=0.5)
        yield from random.norm(f"{block}.norm2", c)
        yield from random.linear(f"{block}.mlp.fc1", c, 4 * c)
        yield from random.linear(f"{block}.mlp.fc2", 4 * c, c, gain=0.5)


def _paths(
    random: _Random,
    c: int,
    d: int,
    levels: Sequence[int],
    teachers: Sequence[str],
    aligners: bool,
) -> Iterator[Any]:
    for teacher in teachers:
        for i in range(d + 1):
            path = f"backbone.tsap.{teacher}.{i}"
            yield from random.linear(f"{path}.down", c, c // 4)
            yield from random.linear(f"{path}.up", c // 4, c)
            yield f"{path}.scale", random.uniform(1, low=0.2, high=0.4)
        for level in levels:
            yield from random.norm(f"backbone.out_norms.{level}_{teacher}", c)
            if aligners:
                yield from random.linear(f"backbone.ts_aligners.{level}_{teacher}", c, c + 8)


def _routers(
    random: _Random, c: int, levels: Sequence[int], tasks: dict[str, int], experts: int
) -> Iterator[Any]:
    for level in levels:
        for task in tasks:
            router = f"backbone.mor.{level}_{task}.router.module"
            yield from random.linear(f"{router}.0", c, c // 2)
            yield from random.norm(f"{router}.1", c // 2)
            # After the mean over tokens the hidden units are about 0.4: logits spread by about 1.
            yield from random.linear(f"{router}.3", c // 2, experts, gain=2.5)


def _heads(random: _Random, c: int, tasks: dict[str, int]) -> Iterator[Any]:
    for task, classes in tasks.items():
        head = f"heads.{task}"
        for j in range(4):
            yield from random.linear(f"{head}.linears.{j}", c, c // 4)
        fuse = f"{head}.linear_fuse"
        yield f"{fuse}.0.weight", random.normal(c, c, 3, 3, std=1 / (9 * c) ** 0.5)
        yield f"{fuse}.0.bias", random.normal(c, std=0.1)
        yield from random.norm(f"{fuse}.1", c)
        yield f"{fuse}.1.running_mean", random.normal(c, std=0.3)
        yield f"{fuse}.1.running_var", random.uniform(c, low=0.3, high=2.0)
        yield f"{fuse}.1.num_batches_tracked", np.asarray(1000, dtype=np.int64)
        yield f"{head}.last_conv.weight", random.normal(classes, c, 1, 1, std=2 / c**0.5)
        yield f"{head}.last_conv.bias", random.normal(classes, std=0.1)


def _lora_wrapped(random: _Random, state: dict[str, Array]) -> dict[str, Array]:
    """The names that `peft.get_peft_model` gives a wrapped vit, and its low-rank factors."""
    wrapped: dict[str, Array] = {}
    for name, values in state.items():
        inner = name.replace("backbone.vit.", "backbone.vit.base_model.model.")
        layer, _, part = inner.rpartition(".")
        if not layer.endswith((".attn.qkv", ".attn.proj", "patch_embed.proj")):
            wrapped[inner] = values
            continue
        wrapped[f"{layer}.base_layer.{part}"] = values
        if part == "weight":
            outputs, inputs, *kernel = values.shape
            factor_a = (4, inputs, *kernel)
            factor_b = (outputs, 4, *([1] * len(kernel)))
            wrapped[f"{layer}.lora_A.default.weight"] = random.normal(*factor_a, std=0.02)
            wrapped[f"{layer}.lora_B.default.weight"] = random.normal(*factor_b, std=0.05)
    return wrapped
