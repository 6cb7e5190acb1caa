"""The SAK student in torch, with the official state-dict names (docs/model.md).

Only the head is written differently from the paper: its 3x3 convolution runs before the
upsampling it follows in the paper (docs/algebra.md, section 1), which is the same function and
about nine times cheaper to train.
"""

from collections.abc import Collection, Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from tools.demo_student import spec
from tools.demo_student.taps import tap_matrix
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head self-attention with a fused qkv projection."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Mix tokens: [B, N, C] to [B, N, C]."""
        b, n, c = x.shape
        qkv = self.qkv(x).view(b, n, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        # Written out: at 257 tokens torch's fused CPU kernel takes twice as long to train.
        scores = (q * (c // self.heads) ** -0.5) @ k.transpose(-1, -2)
        mixed = scores.softmax(-1).to(v.dtype) @ v
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(b, n, c))
        return out


class Mlp(nn.Module):
    """The block's two-layer perceptron."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, C] to [B, N, C]."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """A pre-norm ViT block."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attn = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = Mlp(channels, 4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, C] to [B, N, C]."""
        # Sums of mixed types are slow on CPU, hence the casts here and below.
        x = x + self.attn(self.norm1(x)).to(x.dtype)
        out: Tensor = x + self.mlp(self.norm2(x)).to(x.dtype)
        return out


class PatchEmbed(nn.Module):
    """Non-overlapping patches to tokens, as a strided convolution."""

    def __init__(self, channels: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, patch, patch)

    def forward(self, image: Tensor) -> Tensor:
        """[B, 3, H, W] to [B, L, C]."""
        tokens: Tensor = self.proj(image)
        return tokens.flatten(2).transpose(1, 2)


class Stem(nn.Module):
    """The Teacher-Agnostic Stem: a ViT without its final norm (paper, section 3.2)."""

    def __init__(self, channels: int, depth: int, heads: int, tokens: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, channels))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + tokens, channels))
        self.patch_embed = PatchEmbed(channels, spec.PATCH)
        self.blocks = nn.ModuleList(Block(channels, heads) for _ in range(depth))

    def forward(self, image: Tensor) -> list[Tensor]:
        """[B, 3, H, W] to the D+1 token maps x^0 ... x^D, each [B, 1 + L, C]."""
        patches = self.patch_embed(image)
        x = torch.cat([self.cls_token.expand(len(image), -1, -1).to(patches.dtype), patches], 1)
        features = [x + self.pos_embed]
        for block in self.blocks:
            features.append(block(features[-1]))
        return features


class Adapter(nn.Module):
    """A bottleneck with a residual and one learnt scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // 4)
        self.up = nn.Linear(channels // 4, channels)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor) -> Tensor:
        """[B, N, C] to [B, N, C]."""
        change: Tensor = self.up(F.gelu(self.down(z)))
        return z.to(change.dtype) + self.scale.to(change.dtype) * change


class Router(nn.Module):
    """Weighs the experts of one task at one level from the stem's tokens (paper, section 3.3)."""

    def __init__(self, channels: int, experts: int) -> None:
        super().__init__()
        self.experts = experts
        self.module = nn.Sequential(
            nn.Linear(channels, channels // 2),
            nn.LayerNorm(channels // 2),
            nn.GELU(),
            nn.Linear(channels // 2, 2 * experts),
        )

    def hidden(self, tokens: Tensor) -> Tensor:
        """What the gate reads of patch tokens [B, L, C], as a mean over them: [B, C/2]."""
        read: Tensor = self.module[:3](tokens).mean(1)
        return read

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [B, experts] of patch tokens [B, L, C]; noisy while training."""
        out = self.module(tokens).float().mean(1)
        clean, spread = out.split(self.experts, -1)
        if self.training:
            clean = clean + torch.randn_like(clean) * (F.softplus(spread) + 1e-2)
        logits: Tensor = clean
        return logits


class MixtureOfRepresentations(nn.Module):
    """The router and the weighted sum over stem and paths."""

    def __init__(self, channels: int, experts: int) -> None:
        super().__init__()
        self.router = Router(channels, experts)

    def forward(self, experts: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Mix.

        Args:
            experts: [B, E, L, C], the stem's tokens first.
            present: [B, E] bool; an absent expert's logit is minus infinity.

        Returns:
            The mixture [B, L, C] and the weights [B, E].
        """
        logits = self.router(experts[:, 0]).masked_fill(~present, float("-inf"))
        weights = logits.softmax(-1)
        mixed = torch.einsum("be,belc->blc", weights.to(experts.dtype), experts)
        return mixed, weights


class Backbone(nn.Module):
    """Stem, adapter paths, their norms and (in stage 2) the routers."""

    def __init__(
        self,
        teachers: Mapping[str, int],
        tasks: Collection[str] = (),
        channels: int = spec.CHANNELS,
    ) -> None:
        """Build.

        Args:
            teachers: the teachers in the configuration's order, with their feature widths.
            tasks: the tasks to route for; none in stage 1.
            channels: embedding width C.
        """
        super().__init__()
        self.teachers = tuple(teachers)
        self.vit = Stem(channels, spec.DEPTH, spec.HEADS, spec.GRID**2)
        self.tsap = nn.ModuleDict(
            {t: nn.ModuleList(Adapter(channels) for _ in range(spec.DEPTH + 1)) for t in teachers}
        )
        pairs = [(level, t) for level in spec.LEVELS for t in teachers]
        self.out_norms = nn.ModuleDict({f"{i}_{t}": nn.LayerNorm(channels) for i, t in pairs})
        self.ts_aligners = nn.ModuleDict(
            {f"{i}_{t}": nn.Linear(channels, teachers[t]) for i, t in pairs}
        )
        experts = 1 + len(teachers)
        if tasks:
            self.mor = nn.ModuleDict(
                {
                    f"{level}_{task}": MixtureOfRepresentations(channels, experts)
                    for level in spec.LEVELS
                    for task in tasks
                }
            )

    def experts(self, image: Tensor) -> dict[int, list[Tensor]]:
        """Per level the 1 + T experts [B, L, C]: the stem's patch tokens, then each path's."""
        x = [tokens[:, 1:] for tokens in self.vit(image)]
        found = {level: [x[level + 1]] for level in spec.LEVELS}
        for teacher in self.teachers:
            for level, tokens in self.path(teacher, x).items():
                found[level].append(tokens)
        return found

    def path(self, teacher: str, x: Sequence[Tensor]) -> dict[int, Tensor]:
        """One adapter path over patch tokens of x^0 ... x^D: per level its own, [B, L, C].

        It is token-wise: of some of the tokens it makes the same as of all.
        """
        path = self.tsap[teacher]
        found = {}
        r = path[0](x[0])  # type: ignore[index]
        for i in range(spec.DEPTH):
            r = path[i + 1](r + x[i + 1].to(r.dtype))  # type: ignore[index]
            if i in spec.LEVELS:
                found[i] = self.out_norms[f"{i}_{teacher}"](r)
        return found

    def aligned(self, image: Tensor) -> dict[str, list[Tensor]]:
        """Per teacher its four levels' features [B, L, width], as the student imitates them."""
        experts = self.experts(image)
        return {
            t: [self.ts_aligners[f"{level}_{t}"](experts[level][1 + n]) for level in spec.LEVELS]
            for n, t in enumerate(self.teachers)
        }


def rows_of(first: int, band: int) -> slice:
    """The rows of a head's map that depend on no others of the grid's rows than these.

    Upsampled by four, a row reaches half a row beyond itself; the convolution adds a pixel.
    """
    last = first + band
    return slice(4 * (first + 1) if first else 0, 4 * (last if last == spec.GRID else last - 1))


class Head(nn.Module):
    """One task's head (docs/model.md, section 2.4), its convolution commuted in training."""

    taps: Tensor

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(channels, channels // 4) for _ in spec.LEVELS)
        conv = nn.Conv2d(channels, channels, 3, padding=1)
        # BatchNorm cancels a bias before it; kept at zero it need not be added.
        conv.bias = nn.Parameter(torch.zeros(channels), requires_grad=False)
        self.linear_fuse = nn.Sequential(conv, nn.BatchNorm2d(channels), nn.GELU())
        self.last_conv = nn.Conv2d(channels, out, 1)
        self.register_buffer("taps", tap_matrix(spec.GRID, 4), persistent=False)

    def forward(self, mixtures: list[Tensor], first: int = 0) -> Tensor:
        """Four mixtures [B, L, C] to logits [B, out, H/4, W/4].

        The mixtures may be of a band of the grid's rows that begins at `first`; then the logits are
        of those rows that nothing outside the band has a share in, see `rows_of`.
        """
        z = self.project(mixtures)
        wide = self.linear_fuse[1:](self.expand(z, first))
        # A matrix product, as torch's 1x1 convolution changes the layout of what it gets back. The
        # bias is added in float32: a depth near 0.6 m would lose millimetre resolution in bfloat16.
        weight = self.last_conv.weight.flatten(1).expand(len(wide), -1, -1)
        out = weight @ wide.flatten(2)
        assert self.last_conv.bias is not None
        logits: Tensor = out.float() + self.last_conv.bias.view(1, -1, 1)
        return logits.view(len(wide), -1, *wide.shape[2:])

    def project(self, mixtures: list[Tensor]) -> Tensor:
        """The concatenated low-resolution map z, [B, L, C]."""
        return torch.cat([lin(m) for lin, m in zip(self.linears, mixtures, strict=True)], -1)

    def expand(self, z: Tensor, first: int = 0) -> Tensor:
        """conv3x3(up4(z)) without ever convolving at the high resolution: [B, C, 4h, 4w].

        All nine taps of z [B, h*w, C] are computed at low resolution; then one matrix product per
        axis both interpolates and sums the three taps of that axis.
        """
        kernel = self.linear_fuse[0].weight
        assert isinstance(kernel, Tensor)
        b, _, c = z.shape
        n, band = spec.GRID, z.shape[1] // spec.GRID
        # Rows of the matrix: output channel, then tap row, then tap column.
        weight = kernel.permute(0, 2, 3, 1).reshape(9 * c, c)
        g = (weight @ z.transpose(1, 2)).view(b, c, 3, 3, band, n)
        g = g.permute(0, 1, 2, 4, 3, 5).reshape(b, c, 3 * band, 3 * n)
        taps = self.taps.to(g.dtype)
        down = taps.view(3, n, 4 * n)[:, first : first + band, rows_of(first, band)].flatten(0, 1)
        wide = torch.matmul(down.t(), g).flatten(0, 2) @ taps
        return wide.view(b, c, -1, 4 * n)

    def plain(self, mixtures: list[Tensor]) -> Tensor:
        """The head as the paper writes it; what `forward` is tested against."""
        z = self.project(mixtures).transpose(1, 2)
        z = z.reshape(len(z), -1, spec.GRID, spec.GRID)
        up = F.interpolate(z, scale_factor=4, mode="bilinear", align_corners=False)
        out: Tensor = self.last_conv(self.linear_fuse(up))
        return out


class Student(nn.Module):
    """The whole student of stage 2."""

    def __init__(self, teachers: Mapping[str, int], channels: int = spec.CHANNELS) -> None:
        super().__init__()
        self.backbone = Backbone(teachers, spec.TASK_NAMES, channels)
        self.heads = nn.ModuleDict({t.name: Head(channels, t.channels) for t in spec.TASKS})

    def forward(
        self, image: Tensor, present: Tensor | None = None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Run all tasks.

        Args:
            image: [B, 3, 256, 256], normalised.
            present: [B, 1 + T] bool, which experts are present; all if None.

        Returns:
            Logits per task [B, channels, 64, 64] and routing weights per task [B, levels, 1 + T].
        """
        if present is None:
            count = 1 + len(self.backbone.teachers)
            present = torch.ones(len(image), count, dtype=torch.bool, device=image.device)
        return self.route(self.experts(image), present)

    def experts(self, image: Tensor) -> dict[int, Tensor]:
        """Per level all experts in one array [B, 1 + T, L, C]."""
        return {
            level: torch.stack([e.to(maps[-1].dtype) for e in maps], 1)
            for level, maps in self.backbone.experts(image).items()
        }

    def route(
        self, experts: dict[int, Tensor], present: Tensor, tasks: Sequence[str] | None = None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Mix the experts present and run the heads; returns as `forward` does."""
        logits, routing = {}, {}
        for task in self.heads if tasks is None else tasks:
            head = self.heads[task]
            mixed = [
                self.backbone.mor[f"{level}_{task}"](experts[level], present)
                for level in spec.LEVELS
            ]
            logits[task] = head([m for m, _ in mixed])
            routing[task] = torch.stack([w for _, w in mixed], 1)
        return logits, routing
