"""The data sets: scenes rendered once, kept in memory, rotated and mirrored when batched."""

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tools.demo_student import spec
from tools.demo_student.scenes import Scene, make_board_scene, make_scene
from torch import Tensor

NORMAL_SCALE = 127.0  # normals are kept as int8
DEPTH_SCALE = 1e5  # depth is kept as uint16 in units of 10 micrometres


@dataclass(frozen=True)
class Batch:
    """A batch with ground truth at the heads' own resolution h = H/4.

    Attributes:
        image: float32 [B, 3, H, W], normalised.
        semseg: int64 [B, h, w].
        edge: float32 [B, h, w], share of boundary pixels.
        sal: float32 [B, h, w], share of defect pixels.
        normals: float32 [B, 3, h, w], unit vectors.
        depth: float32 [B, h, w], metres.
    """

    image: Tensor
    semseg: Tensor
    edge: Tensor
    sal: Tensor
    normals: Tensor
    depth: Tensor

    def rows(self, rows: slice) -> "Batch":
        """The same with only some rows of the ground truth."""
        return Batch(
            self.image,
            self.semseg[:, rows],
            self.edge[:, rows],
            self.sal[:, rows],
            self.normals[:, :, rows],
            self.depth[:, rows],
        )


def _area(x: NDArray[np.generic]) -> NDArray[np.float32]:
    """Mean over 4x4 blocks: what a head's pixel stands for."""
    side = (spec.HEAD, spec.HEAD)
    return np.asarray(cv2.resize(x.astype(np.float32), side, interpolation=cv2.INTER_AREA))


def pack(seed: int, make: Callable[[int], Scene] = make_scene) -> dict[str, NDArray[np.generic]]:
    """One scene with compact ground truth at the heads' resolution."""
    cv2.setNumThreads(1)
    scene = make(seed)
    normals = _area(scene.normals)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    shares = np.stack([_area(scene.semseg == c) for c in range(len(spec.CLASSES))], -1)
    return {
        "image": scene.image,
        "semseg": shares.argmax(-1).astype(np.uint8),
        "edge": np.round(_area(scene.edge) * 255).astype(np.uint8),
        "sal": np.round(_area(scene.sal) * 255).astype(np.uint8),
        "normals": np.round(normals * NORMAL_SCALE).astype(np.int8),
        "depth": np.round(_area(scene.depth) * DEPTH_SCALE).astype(np.uint16),
    }


def pack_board(seed: int) -> dict[str, NDArray[np.generic]]:
    """The same of a scene of the new product."""
    return pack(seed, make_board_scene)


def rendered(
    path: Path, packer: Callable[[int], dict[str, NDArray[np.generic]]], seeds: range
) -> dict[str, NDArray[np.generic]]:
    """Packed scenes, rendered on the first call and kept at `path`."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with multiprocessing.get_context("spawn").Pool() as pool:
            packed = pool.map(packer, seeds, chunksize=50)
        part = path.with_suffix(".part.npz")
        np.savez(part, **{k: np.stack([p[k] for p in packed]) for k in packed[0]})
        part.rename(path)
    with np.load(path) as stored:
        return {k: stored[k] for k in stored.files}


def training_set(folder: Path) -> dict[str, NDArray[np.generic]]:
    """The training scenes."""
    return rendered(folder / "train.npz", pack, spec.TRAIN_SEEDS)


def normalise(image: NDArray[np.uint8]) -> Tensor:
    """uint8 [B, H, W, 3] to the network's float32 [B, 3, H, W]."""
    x = torch.from_numpy(np.ascontiguousarray(image)).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor(spec.MEAN).view(3, 1, 1), torch.tensor(spec.STD).view(3, 1, 1)
    return (x - mean) / std


def turn(x: NDArray[np.generic], quarter: int, mirror: bool) -> NDArray[np.generic]:
    """Turn a map [S, S, ...] by quarters (counter-clockwise), then mirror left to right."""
    x = np.rot90(x, quarter)
    return x[:, ::-1] if mirror else x


def turn_normals(n: NDArray[np.float32], quarter: int, mirror: bool) -> NDArray[np.float32]:
    """Turn a normal map [S, S, 3] and its vectors with it (x right, y up)."""
    n = np.array(turn(n, quarter, mirror))
    for _ in range(quarter % 4):
        n = np.stack([-n[..., 1], n[..., 0], n[..., 2]], -1)
    if mirror:
        n[..., 0] *= -1
    return n


def jitter(image: Tensor, generator: torch.Generator) -> Tensor:
    """Photometric variation: gain, tint, offset and noise, per image."""
    shape = (len(image), 1, 1, 1)
    gain = 1 + 0.15 * torch.randn(shape, generator=generator)
    tint = 1 + 0.06 * torch.randn(len(image), 3, 1, 1, generator=generator)
    offset = 0.12 * torch.randn(shape, generator=generator)
    noise = 0.04 * torch.rand(shape, generator=generator)
    return image * gain * tint + offset + noise * torch.randn(image.shape, generator=generator)


def plain_batch(store: dict[str, NDArray[np.generic]]) -> Batch:
    """Packed scenes as tensors, as they are."""
    normals = store["normals"].astype(np.float32)
    if store["normals"].dtype == np.int8:
        normals = normals / np.float32(NORMAL_SCALE)
    return Batch(
        normalise(store["image"]),  # type: ignore[arg-type]
        torch.from_numpy(store["semseg"]).long(),
        torch.from_numpy(store["edge"]).float() / 255,
        torch.from_numpy(store["sal"]).float() / 255,
        torch.from_numpy(normals).permute(0, 3, 1, 2),
        torch.from_numpy(store["depth"].astype(np.float32)) / DEPTH_SCALE,
    )


def make_batch(
    store: dict[str, NDArray[np.generic]], picks: NDArray[np.int64], rng: np.random.Generator
) -> Batch:
    """Turn, mirror and jitter the picked scenes."""
    out: dict[str, list[NDArray[np.generic]]] = {key: [] for key in store}
    for i in picks:
        quarter, mirror = int(rng.integers(4)), bool(rng.integers(2))
        for key, maps in store.items():
            if key == "normals":
                n = maps[i].astype(np.float32) / np.float32(NORMAL_SCALE)
                out[key].append(turn_normals(n, quarter, mirror))
            else:
                out[key].append(turn(maps[i], quarter, mirror))
    batch = plain_batch({key: np.stack(maps) for key, maps in out.items()})
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    return replace(batch, image=jitter(batch.image, generator))


def batches(
    store: dict[str, NDArray[np.generic]], size: int, seed: int, start: int = 0
) -> Iterator[Batch]:
    """Endless shuffled batches; batch number `start` is the same when training is resumed."""
    count = len(store["image"])
    per_epoch = count // size
    step = start
    while True:
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng((seed, epoch)).permutation(count)
        picks = order[place * size : (place + 1) * size]
        yield make_batch(store, picks, np.random.default_rng((seed, step)))
        step += 1
