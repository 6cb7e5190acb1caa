"""The three trainings in order: teachers, distillation, multi-task (paper, section 3.4)."""

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from tools.demo_student import data, losses, spec
from tools.demo_student.begin import begin_heads, begin_stem, match_experts
from tools.demo_student.config_file import write_config
from tools.demo_student.loop import BATCH, train
from tools.demo_student.model import Backbone, Student
from tools.demo_student.teachers import TAUGHT, WIDTH, ConvTeacher, Teacher, Texture, new_teacher
from torch import Tensor, nn

Store = dict[str, NDArray[np.generic]]
WIDTHS = dict.fromkeys(spec.TEACHERS, WIDTH)
TEACHER_STEPS = 900
STAGE1_STEPS = 700
STAGE2_TASKS_STEPS = 1000
STAGE2_EXPERTS_STEPS = 440
STAGE2_NORMALS_STEPS = 240
SAMPLE = 512  # scenes the projections and dictionaries are fitted to
SETTLED = 960  # scenes the final BatchNorm statistics are taken from
WATCHED = 64  # held-out scenes evaluated while training

# How many adapters are left in a training sample, and how often; which ones is random.
ADAPTERS_LEFT = (0.0, 0.1, 0.2, 0.7)
BALANCE_EXPERTS = 0.2  # weight of the experts' imbalance
# The head gives depth in metres, and a scene spans only a tenth of one: small steps.
DEPTH_FACTOR = 0.03


def _feed(store: Store, seed: int) -> Callable[[int], Iterator[data.Batch]]:
    """Batches of the training set, turned and jittered, from a step on."""
    return lambda start: data.batches(store, BATCH, seed, start)


def held_out_batch() -> data.Batch:
    """A few held-out scenes at the heads' resolution, neither rotated nor jittered."""
    packed = [data.pack(seed) for seed in spec.HELD_OUT_SEEDS[:WATCHED]]
    store = {key: np.stack([p[key] for p in packed]) for key in packed[0]}
    return data.plain_batch(store)


def _train_conv_teacher(name: str, folder: Path) -> None:
    """Train one labelled teacher on one core (a process of its own)."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    teacher = ConvTeacher(TAUGHT[name]).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if "depth" in teacher.heads:
        begin_heads(teacher.heads["depth"])

    def loss(batch: data.Batch) -> dict[str, Tensor]:
        image = batch.image.contiguous(memory_format=torch.channels_last)
        terms = losses.task_losses(teacher(image), batch)
        return terms | {"total": losses.total(terms)}

    held_out = held_out_batch()
    store = data.training_set(folder)
    train(
        teacher,
        loss,
        _feed(store, 11),
        folder / f"teacher-{name}.pt",
        per_epoch=len(store["image"]) // BATCH,
        steps=TEACHER_STEPS,
        lr=3e-3,
        seed=11,
        factors={"heads.depth": DEPTH_FACTOR},
        watch=lambda: {k: v.item() for k, v in loss(held_out).items()},
    )


def train_teachers(folder: Path, store: Store) -> dict[str, Teacher]:
    """All teachers, trained (two at a time, a core each) and with projections fitted."""
    ready = folder / "teachers.pt"
    teachers = {name: new_teacher(name) for name in spec.TEACHERS}
    if not ready.exists():
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=_train_conv_teacher, args=(n, folder)) for n in TAUGHT]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            if worker.exitcode:
                raise RuntimeError(f"a teacher's training stopped with exit code {worker.exitcode}")
        sample = data.normalise(store["image"][:SAMPLE])  # type: ignore[arg-type]
        for name, teacher in teachers.items():
            if isinstance(teacher, Texture):
                teacher.learn(sample)
            else:
                path = folder / f"teacher-{name}.pt"
                teacher.load_state_dict(torch.load(path, weights_only=True)["model"])
            teacher.eval()
            teacher.fit_projections(sample)
        torch.save({name: t.state_dict() for name, t in teachers.items()}, ready)
    states = torch.load(ready, weights_only=True)
    for name, teacher in teachers.items():
        teacher.load_state_dict(states[name])
        teacher.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return teachers


def distillation(
    backbone: Backbone, teachers: dict[str, Teacher], image: Tensor
) -> dict[str, Tensor]:
    """Cosine plus smooth-L1 at four levels (paper, equation 3), per teacher and in all."""
    terms = {}
    aligned = backbone.aligned(image)
    image = image.contiguous(memory_format=torch.channels_last)
    for name, teacher in teachers.items():
        losses_here = []
        for mine, theirs in zip(aligned[name], teacher.features(image), strict=True):
            mine, theirs = mine.float(), theirs.float()
            cosine = 1 - F.cosine_similarity(mine, theirs, dim=-1).mean()
            losses_here.append(cosine + F.smooth_l1_loss(mine, theirs))
        terms[name] = torch.stack(losses_here).mean()
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def stage1(folder: Path, store: Store) -> Path:
    """Distil the teachers into stem, paths and aligners."""
    path = folder / "stage1.pt"
    teachers = train_teachers(folder, store)
    torch.manual_seed(2)
    backbone = Backbone(WIDTHS)
    begin_stem(backbone, store["image"][:SAMPLE])
    held_out = held_out_batch()
    train(
        backbone,
        lambda batch: distillation(backbone, teachers, batch.image),
        _feed(store, 12),
        path,
        per_epoch=len(store["image"]) // BATCH,
        steps=STAGE1_STEPS,
        lr=2e-3,
        seed=12,
        watch=lambda: {
            k: v.item() for k, v in distillation(backbone, teachers, held_out.image).items()
        },
    )
    return path


def adapters_present(count: int, chances: tuple[float, ...]) -> Tensor:
    """Which experts a training sample has: [count, 1 + T] bool, the stem always."""
    n = len(spec.TEACHERS)
    left = torch.multinomial(torch.tensor(chances), count, replacement=True)
    rank = torch.rand(count, n).argsort(1).argsort(1)
    return torch.cat([torch.ones(count, 1, dtype=torch.bool), rank < left[:, None]], 1)


def _multi_task(
    student: Student,
    store: Store,
    path: Path,
    *,
    steps: int,
    lr: float,
    seed: int,
    chances: tuple[float, ...],
    factors: dict[str, float],
    balance: float = 0.0,
) -> None:
    """Train the whole student on the five tasks, adapters absent at random."""

    def loss(batch: data.Batch, present: Tensor | None = None) -> dict[str, Tensor]:
        logits, routing = student(batch.image, present)
        terms = losses.task_losses(logits, batch)
        uneven = losses.imbalance(routing)
        return terms | {"total": losses.total(terms) + balance * uneven, "imbalance": uneven}

    held_out = held_out_batch()
    stem_only = torch.tensor([[True] + [False] * len(spec.TEACHERS)]).expand(WATCHED, -1)

    def watch() -> dict[str, float]:
        full = {k: v.item() for k, v in loss(held_out).items()}
        return full | {f"stem_{k}": v.item() for k, v in loss(held_out, stem_only).items()}

    train(
        student,
        lambda batch: loss(batch, adapters_present(len(batch.image), chances)),
        _feed(store, seed),
        path,
        per_epoch=len(store["image"]) // BATCH,
        steps=steps,
        lr=lr,
        seed=seed,
        factors=factors | {"heads.depth.last_conv": DEPTH_FACTOR},
        watch=watch,
    )


def stage2_tasks(folder: Path, store: Store) -> None:
    """First half: heads and routers are new, and the tasks shape the stem."""
    torch.manual_seed(3)
    student = Student(WIDTHS)
    begin_heads(student.get_submodule("heads.depth.last_conv"))
    state = torch.load(folder / "stage1.pt", weights_only=True)["model"]
    student.backbone.load_state_dict(state, strict=False)
    _multi_task(
        student,
        store,
        folder / "tasks.pt",
        steps=STAGE2_TASKS_STEPS,
        lr=1.5e-3,
        seed=13,
        chances=(0.05, 0.15, 0.2, 0.6),
        factors={".mor.": 2.0},
    )


def stage2_experts(folder: Path, store: Store) -> None:
    """Second half: the stem is frozen; paths, routers and heads learn to work with it.

    Stem and paths start as equals and the routers start again, with a loss for using every expert.
    Without that the heads, trained on the stem, rely on it alone.
    """
    torch.manual_seed(4)
    student = Student(WIDTHS)
    student.load_state_dict(torch.load(folder / "tasks.pt", weights_only=True)["model"])
    sizes = match_experts(student, store["image"][:WATCHED])
    student.backbone.vit.requires_grad_(False)
    _multi_task(
        student,
        store,
        folder / "experts.pt",
        steps=STAGE2_EXPERTS_STEPS,
        lr=1e-3,
        seed=14,
        chances=ADAPTERS_LEFT,
        balance=BALANCE_EXPERTS,
        factors={f".linears.{n}.weight": 1 / size for n, size in enumerate(sizes)},
    )


def stage2_normals(folder: Path, store: Store) -> None:
    """Last: the normals' routers and head alone, by the angle that is their metric.

    L1 and cosine emphasise the slopes; the mean angle emphasises the flat benches, where adapters
    blurred the stem's result.
    """
    student = Student(WIDTHS)
    student.load_state_dict(torch.load(folder / "experts.pt", weights_only=True)["model"])
    for name, parameter in student.named_parameters():
        parameter.requires_grad_(name.startswith("heads.normals.") or "_normals." in name)

    def loss(batch: data.Batch, present: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            experts = student.experts(batch.image)
        logits, _ = student.route(experts, present, ("normals",))
        return {"total": losses.normals_angle(logits["normals"], batch)}

    held_out = held_out_batch()
    full = torch.ones(WATCHED, 1 + len(spec.TEACHERS), dtype=torch.bool)
    with torch.no_grad():
        sizes = [float(e.square().mean().sqrt()) for e in student.experts(held_out.image).values()]
    train(
        student,
        lambda batch: loss(batch, adapters_present(len(batch.image), ADAPTERS_LEFT)),
        _feed(store, 15),
        folder / "normals.pt",
        per_epoch=len(store["image"]) // BATCH,
        steps=STAGE2_NORMALS_STEPS,
        lr=1e-3,
        seed=15,
        factors={f".linears.{n}.weight": 1 / size for n, size in enumerate(sizes)},
        watch=lambda: {"angle": loss(held_out, full)["total"].item()},
        watch_every=40,
    )


@torch.no_grad()
def settle_norms(folder: Path, store: Store) -> None:
    """Recompute the heads' BatchNorm statistics with all adapters and in float32.

    In training they are a running mean over samples with adapters missing, which is not how the
    student usually runs. Writes the finished student.
    """
    checkpoint = torch.load(folder / "normals.pt", weights_only=True)
    student = Student(WIDTHS)
    student.load_state_dict(checkpoint["model"])
    student.eval()
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain mean over the batches
            module.train()
    for start in range(0, SETTLED, BATCH):
        picked = store["image"][start : start + BATCH]
        student(data.normalise(picked))  # type: ignore[arg-type]
    checkpoint["model"] = student.state_dict()
    part = folder / "student.part"
    torch.save(checkpoint, part)
    part.rename(folder / "student.pt")


def run(folder: Path) -> None:
    """All of it, from the scenes to the checkpoint and its configuration."""
    store = data.training_set(folder)
    stage1(folder, store)
    stage2_tasks(folder, store)
    stage2_experts(folder, store)
    stage2_normals(folder, store)
    settle_norms(folder, store)
    write_config(folder / "config.yml")
