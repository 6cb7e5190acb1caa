"""Which tensors a student holds: canonical name and shape, from the manifest alone.

The one table of names that the reader, the writer and the converter share. Matrices are stored
[in, out], convolution kernels [out, in, height, width].
"""

from __future__ import annotations

from sakedge.format.student.manifest import Manifest
from sakedge.format.student.parts import Architecture

Shape = tuple[int, ...]
Shapes = dict[str, Shape]

STEM_EPS = 1e-6
"""Epsilon of the LayerNorms inside the stem's blocks."""
NORM_EPS = 1e-5
"""Epsilon of every other LayerNorm, and of the BatchNorm that was folded."""


def stem_shapes(arch: Architecture, tokens: int) -> Shapes:
    """The stem's tensors.

    Args:
        arch: Sizes of the network.
        tokens: Patch tokens L; the position embedding has one more for the class token.
    """
    c, p = arch.width, arch.patch
    shapes: Shapes = {
        "stem.cls_token": (1, 1, c),
        "stem.pos_embed": (1, 1 + tokens, c),
        "stem.patch_embed.weight": (c, 3, p, p),
        "stem.patch_embed.bias": (c,),
    }
    for i in range(arch.blocks):
        block = f"stem.blocks.{i}"
        shapes |= _norm(f"{block}.norm1", c)
        shapes |= _linear(f"{block}.attn.qkv", c, 3 * c)
        shapes |= _linear(f"{block}.attn.proj", c, c)
        shapes |= _norm(f"{block}.norm2", c)
        shapes |= _linear(f"{block}.mlp.fc1", c, arch.mlp)
        shapes |= _linear(f"{block}.mlp.fc2", arch.mlp, c)
    return shapes


def adapter_shapes(arch: Architecture, levels: tuple[int, ...], name: str, hidden: int) -> Shapes:
    """Tensors of one adapter path: its D + 1 adapters and its norm at each level."""
    shapes: Shapes = {}
    for i in range(arch.blocks + 1):
        shapes |= _linear(f"tsap.{name}.{i}.down", arch.width, hidden)
        shapes |= _linear(f"tsap.{name}.{i}.up", hidden, arch.width)
    for level in levels:
        shapes |= _norm(f"norms.{level}.{name}", arch.width)
    return shapes


def router_shapes(arch: Architecture, levels: tuple[int, ...], task: str, experts: int) -> Shapes:
    """Tensors of one task's routers, one router per level.

    Args:
        arch: Sizes of the network.
        levels: Block indices after which routers and heads read.
        task: Name of the task.
        experts: The stem and every adapter, 1 + T.
    """
    hidden = arch.width // 2
    shapes: Shapes = {}
    for level in levels:
        router = f"mor.{level}.{task}"
        shapes |= _linear(f"{router}.hidden", arch.width, hidden)
        shapes |= _norm(f"{router}.norm", hidden)
        shapes |= _linear(f"{router}.gate", hidden, experts)
    return shapes


def head_shapes(arch: Architecture, levels: tuple[int, ...], task: str, classes: int) -> Shapes:
    """Tensors of one task's head."""
    c, reduced = arch.width, arch.width // 4
    shapes: Shapes = {}
    for j in range(len(levels)):
        shapes |= _linear(f"heads.{task}.linears.{j}", c, reduced)
    shapes[f"heads.{task}.fuse.weight"] = (c, len(levels) * reduced, 3, 3)
    shapes[f"heads.{task}.fuse.bias"] = (c,)
    shapes[f"heads.{task}.last.weight"] = (classes, c, 1, 1)
    shapes[f"heads.{task}.last.bias"] = (classes,)
    return shapes


def component_shapes(manifest: Manifest) -> dict[str, Shapes]:
    """Every component's tensors, in the order of the file."""
    arch, levels = manifest.architecture, manifest.levels
    experts = 1 + len(manifest.adapters)
    parts: dict[str, Shapes] = {
        "stem": stem_shapes(arch, manifest.grid[0] * manifest.grid[1]),
    }
    for adapter in manifest.adapters:
        parts[f"adapters.{adapter.name}"] = adapter_shapes(
            arch, levels, adapter.name, adapter.hidden
        )
    if arch.is_routed:
        for task in manifest.tasks:
            parts[f"routers.{task.name}"] = router_shapes(arch, levels, task.name, experts)
    for task in manifest.tasks:
        parts[f"heads.{task.name}"] = head_shapes(arch, levels, task.name, task.classes)
    return parts


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (inputs, outputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
