"""A new product at the plant: an adapter of its own for the shipped student, all else frozen.

The stem's maps are computed once and kept, as nothing before the new path is trained. The path is
trained as if it were the only expert, through the shipped heads; the new rows of the routers' gates
are trained apart, to say whose product an image shows. Both together make the new expert: all
weight on the new product, none on what the student knew before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from tools.demo_student import data, losses, spec
from tools.demo_student.loop import train
from tools.demo_student.model import Student, rows_of
from tools.demo_student.stored import load_stored, write_with_adapter, write_without_adapter
from torch import Tensor, nn

from sakedge.format import AdapterInfo

STORED = Path(__file__).with_name("student.onnx")
NEW = "pcb"
BATCH = 8
STEPS = 1400
WATCHED = 64  # of the new product's training scenes, kept apart to watch the training by
DECAY = 1e-8  # of the gates' rows: small, as the features that they read are
KNOWN = 512  # training scenes of the known parts that the gates learn to leave alone
BAND = 6  # of the grid's 16 rows, drawn anew in every step: more scenes for the same time
Store = dict[str, NDArray[np.generic]]
Maps = NDArray[np.float16]


@dataclass(frozen=True)
class Seen:
    """What the path reads and what it should make of it.

    Attributes:
        stem: patch tokens of x^0 ... x^D, [B, L, C] each, of a band of the grid's rows.
        first: the band's first row.
        truth: ground truth of the rows that the heads make of it.
    """

    stem: list[Tensor]
    first: int
    truth: data.Batch


@torch.no_grad()
def stem_maps(student: Student, store: Store, path: Path) -> Maps:
    """The stem's patch tokens of jittered scenes, [N, D + 1, L, C], kept in a file at `path`."""
    if not path.exists():
        shape = (len(store["image"]), spec.DEPTH + 1, spec.GRID**2, spec.CHANNELS)
        part = path.with_suffix(".part.npy")
        maps = np.lib.format.open_memmap(part, "w+", np.float16, shape)
        generator = torch.Generator().manual_seed(21)
        for start in range(0, len(maps), BATCH):
            image = data.normalise(store["image"][start : start + BATCH])  # type: ignore[arg-type]
            x = student.backbone.vit(data.jitter(image, generator))
            maps[start : start + BATCH] = torch.stack(x, 1)[:, :, 1:].half().numpy()
        maps.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def _seen(store: Store, maps: Maps, picks: NDArray[np.int64], first: int, band: int) -> Seen:
    """A band of some scenes; picks ascend, as the maps lie in a file."""
    tokens = slice(first * spec.GRID, (first + band) * spec.GRID)
    x = torch.from_numpy(np.stack([maps[i, :, tokens] for i in picks])).float()
    truth = data.plain_batch({key: values[picks] for key, values in store.items()})
    return Seen(list(x.unbind(1)), first, truth.rows(rows_of(first, band)))


def _feed(store: Store, maps: Maps, start: int) -> Iterator[Seen]:
    """Endless shuffled batches of all scenes but the watched ones, from a step on."""
    count = len(maps) - WATCHED
    for step in range(start, 1 << 30):
        epoch, place = divmod(step, count // BATCH)
        order = np.random.default_rng((22, epoch)).permutation(count)
        # The outermost rows lie in one band only, so that one comes oftener.
        last = spec.GRID - BAND
        first = int(np.clip(np.random.default_rng((22, 0, step)).integers(-3, last + 4), 0, last))
        yield _seen(store, maps, np.sort(order[place * BATCH : (place + 1) * BATCH]), first, BAND)


def train_path(student: Student, store: Store, maps: Maps, path: Path) -> None:
    """Train the new path through the frozen heads; it ends in `student` and at `path`."""
    backbone = student.backbone
    norms = {str(level): backbone.out_norms[f"{level}_{NEW}"] for level in spec.LEVELS}
    trained = nn.ModuleDict({"tsap": backbone.tsap[NEW], "norms": nn.ModuleDict(norms)})
    trained.requires_grad_(True)

    def loss(seen: Seen) -> dict[str, Tensor]:
        tokens = list(backbone.path(NEW, seen.stem).values())
        logits = {task: head(tokens, seen.first) for task, head in student.heads.items()}
        terms = losses.task_losses(logits, seen.truth)
        # The angle is what is measured, and flat ground is most of it.
        terms["angle"] = losses.normals_angle(logits["normals"], seen.truth)
        total = losses.total({task: terms[task] for task in spec.TASK_NAMES})
        return terms | {"total": total + terms["angle"]}

    picks = np.arange(len(maps) - WATCHED, len(maps))
    watched = _seen(store, maps, picks, 0, spec.GRID)
    train(
        trained,
        loss,
        lambda start: _feed(store, maps, start),
        path,
        per_epoch=(len(maps) - WATCHED) // BATCH,
        steps=STEPS,
        lr=3e-3,
        seed=23,
        watch=lambda: {k: v.item() for k, v in loss(watched).items()},
        watch_every=200,
        bfloat16=False,
    )
    trained.requires_grad_(False)


@torch.no_grad()
def _read(student: Student, maps: Maps) -> Tensor:
    """What every gate reads of every scene: [N, routers, C/2]."""
    rows = []
    for start in range(0, len(maps), BATCH):
        x = torch.from_numpy(maps[start : start + BATCH]).float()
        tokens = {level: x[:, level + 1] for level in spec.LEVELS}
        rows.append(
            torch.stack(
                [
                    student.backbone.mor[f"{level}_{task}"].router.hidden(tokens[level])
                    for level in spec.LEVELS
                    for task in spec.TASK_NAMES
                ],
                1,
            )
        )
    return torch.cat(rows)


def train_gates(student: Student, new: Maps, known: Maps) -> float:
    """Train the gates' new rows: logistic regression, the shipped rows staying as they are.

    Returns:
        The mean cross-entropy at the end, over routers and scenes.
    """
    expert = len(student.backbone.teachers)  # the last one's number, the stem's being 0
    gates = [
        student.backbone.mor[f"{level}_{task}"].router.module[3]
        for level in spec.LEVELS
        for task in spec.TASK_NAMES
    ]
    read = torch.cat([_read(student, new), _read(student, known)])
    sign = torch.where(torch.arange(len(read)) < len(new), 1.0, -1.0)[:, None]
    mean, spread = read.mean(0), read.std(0)
    weight = torch.stack([gate.weight[:expert] for gate in gates])
    bias = torch.stack([gate.bias[:expert] for gate in gates])
    others = (torch.einsum("nrc,rec->nre", read, weight) + bias).logsumexp(-1)
    read = (read - mean) / spread
    rows = torch.zeros_like(mean, requires_grad=True)
    shift = torch.zeros(len(gates), requires_grad=True)
    solver = torch.optim.LBFGS([rows, shift], max_iter=400, line_search_fn="strong_wolfe")

    def entropy() -> Tensor:
        margin = torch.einsum("nrc,rc->nr", read, rows) + shift - others
        return F.softplus(-sign * margin).mean()

    def objective() -> Tensor:
        solver.zero_grad()
        value = entropy() + DECAY * (rows / spread).square().sum(1).mean()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(objective)
    with torch.no_grad():
        plain = rows / spread
        for gate, row, one in zip(gates, plain, shift - (plain * mean).sum(1), strict=True):
            gate.weight[expert], gate.bias[expert] = row, one
        return entropy().item()


def run(folder: Path) -> None:
    """From `student.onnx`, without the new adapter, to `student-fp16.onnx` with it.

    Where it was not trained here it is what the stored student is without the adapter.
    """
    base = folder / "student.onnx"
    if not base.exists():
        write_without_adapter(STORED, NEW, base)
    student = load_stored(base, new=NEW)
    boards = data.rendered(folder / "boards.npz", data.pack_board, spec.BOARD_TRAIN_SEEDS)
    new_maps = stem_maps(student, boards, folder / "boards.npy")
    train_path(student, boards, new_maps, folder / f"{NEW}.pt")
    known = data.rendered(folder / "known.npz", data.pack, spec.TRAIN_SEEDS[:KNOWN])
    known_maps = stem_maps(student, known, folder / "known.npy")
    entropy = train_gates(student, new_maps[:-WATCHED], known_maps)
    print(f"gates: cross-entropy {entropy:.2g}")
    adapter = AdapterInfo(
        name=NEW, teacher="none, trained on labels", license="Apache-2.0", hidden=spec.CHANNELS // 4
    )
    write_with_adapter(base, student, adapter, folder / "student-fp16.onnx")
