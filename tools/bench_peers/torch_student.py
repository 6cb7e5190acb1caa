"""A student as a straightforward torch module: what `torch.compile` is given.

Written from the paper's forward pass, with the heads as written there (upsample, then convolve).
Only inference; weights come from a student file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from sakedge.format import Manifest, StudentFile
from sakedge.format.layout import NORM_EPS, STEM_EPS

Weights = Mapping[str, NDArray[Any]]


class Block(nn.Module):
    """A pre-norm ViT block."""

    def __init__(self, weights: Weights, name: str, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = _norm(weights, f"{name}.norm1", STEM_EPS)
        self.qkv = _linear(weights, f"{name}.attn.qkv")
        self.proj = _linear(weights, f"{name}.attn.proj")
        self.norm2 = _norm(weights, f"{name}.norm2", STEM_EPS)
        self.fc1 = _linear(weights, f"{name}.mlp.fc1")
        self.fc2 = _linear(weights, f"{name}.mlp.fc2")

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, C] to [B, N, C]."""
        b, n, c = x.shape
        qkv = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(mixed.transpose(1, 2).reshape(b, n, c))
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return out


class Stem(nn.Module):
    """The shared ViT."""

    def __init__(self, weights: Weights, manifest: Manifest) -> None:
        super().__init__()
        arch = manifest.architecture
        self.patches = _conv(weights, "stem.patch_embed", stride=arch.patch)
        self.cls_token = _tensor(weights["stem.cls_token"])
        self.pos_embed = _tensor(weights["stem.pos_embed"])
        self.blocks = nn.ModuleList(
            Block(weights, f"stem.blocks.{i}", arch.heads) for i in range(arch.blocks)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """[B, 3, H, W] to x0 … xD, each [B, 1 + L, C]."""
        tokens = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(image), -1, -1), tokens], 1) + self.pos_embed
        outputs = [x]
        for block in self.blocks:
            outputs.append(block(outputs[-1]))
        return outputs


class Path(nn.Module):
    """One adapter path and its norms."""

    def __init__(self, weights: Weights, manifest: Manifest, name: str) -> None:
        super().__init__()
        self.levels = manifest.levels
        count = range(manifest.architecture.blocks + 1)
        self.down = nn.ModuleList(_linear(weights, f"tsap.{name}.{i}.down") for i in count)
        self.up = nn.ModuleList(_linear(weights, f"tsap.{name}.{i}.up") for i in count)
        self.norms = nn.ModuleList(
            _norm(weights, f"norms.{level}.{name}", NORM_EPS) for level in self.levels
        )

    def forward(self, x: Sequence[Tensor]) -> list[Tensor]:
        """x0 … xD to one expert per level, [B, L, C]."""
        experts = []
        r = torch.zeros_like(x[0])
        norms = iter(self.norms)
        for i, (down, up) in enumerate(zip(self.down, self.up, strict=True)):
            z = r + x[i]
            r = z + up(F.gelu(down(z)))
            if i - 1 in self.levels:
                experts.append(next(norms)(r[:, 1:]))
        return experts


class Router(nn.Module):
    """Weighs the experts of one task at one level."""

    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__()
        self.hidden = _linear(weights, f"{name}.hidden")
        self.norm = _norm(weights, f"{name}.norm", NORM_EPS)
        self.gate = _linear(weights, f"{name}.gate")

    def forward(self, experts: Sequence[Tensor]) -> Tensor:
        """Experts [B, L, C], the stem's first, to their mixture [B, L, C]."""
        hidden = F.gelu(self.norm(self.hidden(experts[0])))
        weights = self.gate(hidden).mean(1, keepdim=True).softmax(-1)
        mixture = experts[0] * weights[..., :1]
        for i, expert in enumerate(experts[1:], start=1):
            mixture = mixture + expert * weights[..., i : i + 1]
        return mixture


class PlainSum(nn.Module):
    """Takes a router's place in a student without routers."""

    def forward(self, experts: Sequence[Tensor]) -> Tensor:
        """Experts to their sum."""
        return torch.stack(list(experts)).sum(0)


class Head(nn.Module):
    """One task's head, as the paper has it."""

    def __init__(self, weights: Weights, manifest: Manifest, task: str) -> None:
        super().__init__()
        name = f"heads.{task}"
        self.grid = manifest.grid
        self.scale = manifest.architecture.patch / 4
        count = range(len(manifest.levels))
        self.linears = nn.ModuleList(_linear(weights, f"{name}.linears.{j}") for j in count)
        self.fuse = _conv(weights, f"{name}.fuse", padding=1)
        self.last = _conv(weights, f"{name}.last")

    def forward(self, mixtures: Sequence[Tensor]) -> Tensor:
        """Four mixtures [B, L, C] to logits [B, classes, H, W]."""
        parts = [linear(each) for linear, each in zip(self.linears, mixtures, strict=True)]
        z = torch.cat(parts, -1).transpose(1, 2).unflatten(-1, self.grid)
        z = F.interpolate(z, scale_factor=self.scale, mode="bilinear")
        z = self.last(F.gelu(self.fuse(z)))
        return F.interpolate(z, scale_factor=4.0, mode="bilinear")


class TorchStudent(nn.Module):
    """All of it."""

    def __init__(self, file: StudentFile) -> None:
        super().__init__()
        manifest = file.manifest
        weights = {
            name: tensor
            for component in manifest.components
            for name, tensor in file.component(component).items()
        }
        self.levels = manifest.levels
        self.tasks = manifest.task_names
        routed = manifest.architecture.router == "mor"
        self.stem = Stem(weights, manifest)
        self.paths = nn.ModuleList(Path(weights, manifest, n) for n in manifest.adapter_names)
        self.mixtures = nn.ModuleList(
            nn.ModuleList(
                Router(weights, f"mor.{level}.{task}") if routed else PlainSum()
                for level in self.levels
            )
            for task in self.tasks
        )
        self.heads = nn.ModuleList(Head(weights, manifest, task) for task in self.tasks)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Normalised images [B, 3, H, W] to each task's logits [B, classes, H, W]."""
        x = self.stem(image)
        paths = [path(x) for path in self.paths]
        experts = [
            [x[level + 1][:, 1:], *(path[j] for path in paths)]
            for j, level in enumerate(self.levels)
        ]
        outputs = []
        for routers, head in zip(self.mixtures, self.heads, strict=True):
            mixed = [router(each) for router, each in zip(routers, experts, strict=True)]  # type: ignore[arg-type]
            outputs.append(head(mixed))
        return outputs


def _tensor(values: NDArray[Any]) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(values.astype("float32")), requires_grad=False)


def _linear(weights: Weights, name: str) -> nn.Linear:
    weight = weights[f"{name}.weight"]
    layer = nn.Linear(*weight.shape)
    layer.weight = _tensor(weight.T)
    layer.bias = _tensor(weights[f"{name}.bias"])
    return layer


def _norm(weights: Weights, name: str, eps: float) -> nn.LayerNorm:
    layer = nn.LayerNorm(len(weights[f"{name}.weight"]), eps=eps)
    layer.weight = _tensor(weights[f"{name}.weight"])
    layer.bias = _tensor(weights[f"{name}.bias"])
    return layer


def _conv(weights: Weights, name: str, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    weight = weights[f"{name}.weight"]
    outputs, inputs, *kernel = weight.shape
    layer = nn.Conv2d(inputs, outputs, tuple(kernel), stride, padding)
    layer.weight = _tensor(weight)
    layer.bias = _tensor(weights[f"{name}.bias"])
    return layer
