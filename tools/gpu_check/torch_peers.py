"""The same student in torch: what ours is measured against.

Twice: as the file states it, and with the heads' convolution before their upsampling, which any
runtime may have as well (docs/algebra.md, section 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from tools.bench_peers.torch_student import Head, TorchStudent
from torch import Tensor, nn

from sakedge.format import StudentFile

FORMS = ("as the file states it", "commuted heads")


class CommutedHead(nn.Module):
    """A head whose nine taps are one product at low resolution.

    The interpolation of each axis, with the sum of its taps, is another by a constant matrix: what
    `sakedge export` writes, in torch.
    """

    def __init__(self, head: Head) -> None:
        super().__init__()
        weight = head.fuse.weight  # [F, Z, 3, 3]
        self.linears, self.grid = head.linears, head.grid
        self.taps = nn.Parameter(weight.permute(2, 3, 0, 1).flatten(0, 2), requires_grad=False)
        self.bias = head.fuse.bias
        self.last = nn.Parameter(head.last.weight.flatten(1), requires_grad=False)
        self.last_bias = head.last.bias
        factor = int(head.scale)
        for name, tokens in zip(("rows", "columns"), head.grid, strict=True):
            self.register_buffer(name, interpolation(tokens, factor))

    def forward(self, mixtures: Sequence[Tensor]) -> Tensor:
        """Four mixtures [B, L, C] to logits [B, classes, H, W]."""
        parts = [linear(each) for linear, each in zip(self.linears, mixtures, strict=True)]
        g = F.linear(torch.cat(parts, -1), self.taps)
        (h, w), b = self.grid, len(g)
        # [B, h, w, dy, dx, F] to [B, (dy, h), (w, dx, F)], and after the rows to [(dx, w), F].
        g = g.view(b, h, w, 3, -1).permute(0, 3, 1, 2, 4).reshape(b, 3 * h, -1)
        m = (self.rows @ g).view(b, -1, w, 3, len(self.bias))
        m = m.transpose(2, 3).reshape(b, -1, 3 * w, len(self.bias))
        y = F.gelu(self.columns @ m + self.bias)
        logits = F.linear(y, self.last, self.last_bias).permute(0, 3, 1, 2)
        return F.interpolate(logits, scale_factor=4.0, mode="bilinear")


def interpolation(tokens: int, factor: int) -> Tensor:
    """[factor * tokens, 3 * tokens]: upsamples an axis and sums its three taps, zeros outside."""
    up = F.interpolate(torch.eye(tokens)[None], scale_factor=factor, mode="linear")[0].T
    below, above = torch.zeros_like(up), torch.zeros_like(up)
    below[1:], above[:-1] = up[:-1], up[1:]
    return torch.cat([below, up, above], 1)


def peer(path: Path, form: str) -> TorchStudent:
    """The student in one of the `FORMS`, in float32 on the CPU."""
    with StudentFile.open(path) as file:
        student = TorchStudent(file).eval()
    if form == FORMS[1]:
        student.heads = nn.ModuleList(CommutedHead(head) for head in student.heads)  # type: ignore[arg-type]
    return student


def on_gpu(student: TorchStudent, dtype: torch.dtype) -> TorchStudent:
    """As its documentation says it is fastest: 16 bits, channels last, attention in one kernel."""
    return student.to("cuda", dtype, memory_format=torch.channels_last)


def largest_error(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Of any logit, relative to its task's range."""
    worst = 0.0
    for one, other in zip(found, expected, strict=True):
        wanted = other.float()
        difference = (one.float().to(wanted.device) - wanted).abs().max()
        worst = max(worst, float(difference / (wanted.max() - wanted.min())))
    return worst
