"""Where training begins: starting weights that save steps over plain random ones."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from tools.demo_student import spec
from tools.demo_student.data import normalise
from tools.demo_student.model import Adapter, Backbone, Block, Student
from torch import Tensor, nn

USUAL_DEPTH = 0.58  # metres; about the mean over scenes


def whitened_patches(image: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """Filters that decorrelate patches: weight [C, 3, p, p] and bias [C]."""
    p = spec.PATCH
    patches = torch.nn.functional.unfold(image, p, stride=p).transpose(1, 2).flatten(0, 1)
    mean = patches.mean(0)
    centred = (patches - mean).double()
    values, vectors = torch.linalg.eigh(centred.t() @ centred / len(centred))
    deviation = values.flip(0)[:channels].clamp(min=0).sqrt()
    weight = (vectors.flip(1)[:, :channels] / (deviation + 0.15)).t().float()
    return weight.view(channels, 3, p, p), -weight @ mean


def position_waves(side: int, channels: int) -> Tensor:
    """Sines and cosines of column and row, [side^2, C]."""
    rates = torch.exp(-math.log(100.0) * torch.arange(channels // 4) / (channels // 4))
    angle = torch.arange(side)[:, None] * rates
    wave = torch.cat([angle.sin(), angle.cos()], 1)
    row = wave[:, None].expand(side, side, -1)
    column = wave[None].expand(side, side, -1)
    return torch.cat([column, row], -1).flatten(0, 1)


@torch.no_grad()
def begin_stem(backbone: Backbone, image: NDArray[np.generic]) -> None:
    """Patch embedding from whitened patches, positions from waves, small residual branches."""
    for module in backbone.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=module.in_features**-0.5)
            nn.init.zeros_(module.bias)
        if isinstance(module, Adapter):
            module.up.weight.mul_(0.1)
    stem = backbone.vit
    weight, bias = whitened_patches(normalise(image), spec.CHANNELS)  # type: ignore[arg-type]
    stem.patch_embed.proj.weight.copy_(weight)
    stem.patch_embed.proj.bias = nn.Parameter(bias)
    stem.pos_embed[0, 1:] = 0.4 * position_waves(spec.GRID, spec.CHANNELS)
    stem.cls_token.normal_(std=0.02)
    for block in stem.blocks:
        assert isinstance(block, Block)
        block.attn.proj.weight.mul_(0.3)
        block.mlp.fc2.weight.mul_(0.3)


@torch.no_grad()
def begin_heads(last: nn.Module) -> None:
    """A depth output starts flat, at the usual distance."""
    last.weight.mul_(0.03)  # type: ignore[operator]
    last.bias.fill_(USUAL_DEPTH)  # type: ignore[operator]


@torch.no_grad()
def match_experts(student: Student, image: NDArray[np.generic]) -> list[float]:
    """Make stem and paths start as equals: same size, same weight.

    The stem's tokens are not normalised and many times larger than the paths'. If left so, the
    mixture is all stem from the first step and the routers settle for the stem alone. The paths'
    norms get the stem's size and the routers start undecided.

    Returns:
        The stem's root mean square per level.
    """
    sizes = []
    experts = student.eval().experts(normalise(image))  # type: ignore[arg-type]
    for level in spec.LEVELS:
        size = float(experts[level][:, 0].square().mean().sqrt())
        sizes.append(size)
        for teacher in student.backbone.teachers:
            norm = student.backbone.out_norms[f"{level}_{teacher}"]
            for parameter in norm.parameters():
                parameter.mul_(size)
        for task in student.heads:
            last = student.backbone.get_submodule(f"mor.{level}_{task}.router.module.3")
            for parameter in last.parameters():
                parameter.mul_(0.02)
    return sizes
