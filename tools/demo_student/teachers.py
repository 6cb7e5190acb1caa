"""Three in-house teachers with different biases, each giving four maps on the 16x16 token grid.

`texture` is unsupervised: dictionaries of small patches, learnt by k-means at four scales.
`semantics` is a small convolutional net trained on class labels only.
`geometry` is the same net trained on boundaries, normals and depth only.

Every map goes through a fixed linear projection (PCA, half whitened) to a common width, so that a
cosine distance means something.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from sklearn.cluster import MiniBatchKMeans
from tools.demo_student import spec
from torch import Tensor, nn

WIDTH = 96  # of a teacher's features at each level


class Projection(nn.Module):
    """A fixed affine map fitted to a sample of features: centre, PCA, half whitening."""

    mean: Tensor
    basis: Tensor

    def __init__(self, width_in: int, width: int = WIDTH) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width_in))
        self.register_buffer("basis", torch.zeros(width_in, width))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Fit to features [M, width_in]; components divided by the root of their deviation."""
        self.mean.copy_(features.mean(0))
        centred = (features - self.mean).double()
        values, vectors = torch.linalg.eigh(centred.t() @ centred / len(centred))
        width = self.basis.shape[1]
        deviation = values.flip(0)[:width].clamp(min=1e-12).sqrt()
        scaled = vectors.flip(1)[:, :width] / deviation.sqrt()
        # Unit mean square overall, so that smooth-L1 weighs every level and teacher alike.
        scaled /= deviation.mean().sqrt()
        self.basis[:, : scaled.shape[1]] = scaled.float()

    def forward(self, features: Tensor) -> Tensor:
        """[..., width_in] to [..., width]."""
        return (features - self.mean) @ self.basis


def on_grid(x: Tensor) -> Tensor:
    """[B, c, s, s] to tokens [B, L, c * (s / 16)^2], keeping positions within the token."""
    return F.pixel_unshuffle(x, x.shape[-1] // spec.GRID).flatten(2).transpose(1, 2)


class Teacher(nn.Module):
    """Anything that gives four raw maps, with their projections."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.projections = nn.ModuleList(Projection(w) for w in widths)

    def raw(self, image: Tensor) -> list[Tensor]:
        """Four maps of tokens [B, L, *] of normalised images [B, 3, H, W]."""
        raise NotImplementedError

    @torch.no_grad()
    def features(self, image: Tensor) -> list[Tensor]:
        """Four projected maps [B, L, WIDTH]."""
        return [p(r) for p, r in zip(self.projections, self.raw(image), strict=True)]

    @torch.no_grad()
    def fit_projections(self, image: Tensor) -> None:
        """Fit all projections to a sample of images."""
        maps = zip(*(self.raw(part) for part in torch.split(image, 16)), strict=True)
        for projection, parts in zip(self.projections, maps, strict=True):
            projection.fit(torch.cat(list(parts)).flatten(0, 1))  # type: ignore[operator]


class Texture(Teacher):
    """Patch dictionaries at four scales, soft-assigned and pooled over a token in quarters."""

    WORDS = 64
    PATCH = 5
    SIDES = (128, 64, 64, 32)  # image side per level; the third reads the second more widely

    def __init__(self) -> None:
        super().__init__([self.WORDS * 4] * 4)
        shape = (self.WORDS, 3, self.PATCH, self.PATCH)
        self.words = nn.ParameterList(
            nn.Parameter(torch.zeros(shape), requires_grad=False) for _ in self.SIDES
        )

    def _contrast(self, image: Tensor, side: int) -> Tensor:
        """The image at a scale, divided by its local contrast, colour kept."""
        x = F.interpolate(image, (side, side), mode="area")
        grey = x.mean(1, keepdim=True)
        local = F.avg_pool2d(grey, 9, 1, 4, count_include_pad=False)
        spread = F.avg_pool2d((grey - local) ** 2, 9, 1, 4, count_include_pad=False).sqrt()
        return torch.cat(
            [(grey - local) / (spread + 0.08), x[:, :1] - x[:, 1:2], x[:, 2:] - x[:, 1:2]], 1
        )

    def learn(self, image: Tensor) -> None:
        """Learn the dictionaries from unlabelled images [M, 3, H, W]."""
        rng = np.random.default_rng(0)
        for words, side in zip(self.words, self.SIDES, strict=True):
            x = self._contrast(image, side)
            patches = F.unfold(x, self.PATCH, stride=3).transpose(1, 2).flatten(0, 1).numpy()
            patches = patches[rng.permutation(len(patches))[:60_000]]
            found = MiniBatchKMeans(self.WORDS, batch_size=2048, n_init=1, random_state=0).fit(
                patches
            )
            words.copy_(torch.from_numpy(found.cluster_centers_).view_as(words))

    def raw(self, image: Tensor) -> list[Tensor]:
        """Nearness to each word, pooled to half tokens."""
        maps = []
        pad = self.PATCH // 2
        for level, (words, side) in enumerate(zip(self.words, self.SIDES, strict=True)):
            x = F.pad(self._contrast(image, side), (pad,) * 4, mode="replicate")
            stride = max(side // 64, 1)
            power = x.square().sum(1, keepdim=True)
            energy = F.avg_pool2d(power, self.PATCH, stride) * self.PATCH**2
            norms = words.flatten(1).square().sum(1).view(1, -1, 1, 1)
            likeness = F.conv2d(x, words, stride=stride)
            distance = (energy - 2 * likeness + norms).clamp(min=0).sqrt()
            near = F.relu(distance.mean(1, keepdim=True) - distance)
            near = F.avg_pool2d(near, near.shape[-1] // (2 * spec.GRID))
            if level == 2:
                near = F.avg_pool2d(near, 5, 1, 2, count_include_pad=False)
            maps.append(on_grid(near))
        return maps


def _conv(c_in: int, c_out: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """3x3 convolution, BatchNorm, ReLU."""
    conv = nn.Conv2d(c_in, c_out, 3, stride, dilation, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


class ConvTeacher(Teacher):
    """A small encoder-decoder with a head for each task it is trained on."""

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__([4 * 64, 128, 4 * 64, 16 * 32])
        self.stem = nn.Sequential(_conv(3, 16, 2), _conv(16, 32, 2), _conv(32, 32))
        self.down32 = nn.Sequential(_conv(32, 64, 2), _conv(64, 64))
        self.down16 = nn.Sequential(
            _conv(64, 128, 2), _conv(128, 128, dilation=2), _conv(128, 128, dilation=4)
        )
        self.up32 = _conv(128 + 64, 64)
        self.up64 = nn.Sequential(_conv(64 + 32, 32), _conv(32, 32))
        channels = {t.name: t.channels for t in spec.TASKS}
        self.heads = nn.ModuleDict({t: nn.Conv2d(32, channels[t], 1) for t in tasks})

    def maps(self, image: Tensor) -> list[Tensor]:
        """Encoder maps at 32 and 16, decoder maps at 32 and 64 pixels a side."""
        fine = self.stem(image)
        mid = self.down32(fine)
        deep = self.down16(mid)
        up = F.interpolate(deep, scale_factor=2, mode="bilinear")
        up32 = self.up32(torch.cat([up, mid], 1))
        up = F.interpolate(up32, scale_factor=2, mode="bilinear")
        return [mid, deep, up32, self.up64(torch.cat([up, fine], 1))]

    def raw(self, image: Tensor) -> list[Tensor]:
        """The four maps as tokens."""
        return [on_grid(m) for m in self.maps(image)]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Logits [B, channels, 64, 64] of the teacher's own tasks."""
        last = self.maps(image)[-1]
        return {task: head(last) for task, head in self.heads.items()}


TAUGHT = {"semantics": ("semseg",), "geometry": ("edge", "normals", "depth")}


def new_teacher(name: str) -> Teacher:
    """An untrained teacher by name."""
    return Texture() if name == "texture" else ConvTeacher(TAUGHT[name])
