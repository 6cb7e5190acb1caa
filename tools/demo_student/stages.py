"""The three trainings in order: teachers, distillation, multi-task (paper, section 3.4)."""

import multiprocessing
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from tools.demo_student import data, losses, spec
from tools.demo_student.begin import begin_heads, begin_stem
from tools.demo_student.loop import train
from tools.demo_student.model import Backbone, Student
from tools.demo_student.teachers import TAUGHT, WIDTH, ConvTeacher, Teacher, Texture, new_teacher
from torch import Tensor

Store = dict[str, NDArray[np.generic]]
WIDTHS = dict.fromkeys(spec.TEACHERS, WIDTH)
TEACHER_STEPS = 900
STAGE1_STEPS = 700
STAGE2_STEPS = 1000
SAMPLE = 512  # scenes the projections and dictionaries are fitted to
WATCHED = 64  # held-out scenes looked at while training

# How many adapters are left in a training sample, and how often; which ones is chance.
ADAPTERS_LEFT = (0.05, 0.15, 0.2, 0.6)


def held_out_batch() -> data.Batch:
    """A few held-out scenes at the heads' resolution, neither turned nor jittered."""
    packed = [data.pack(seed) for seed in data.HELD_OUT_SEEDS[:WATCHED]]
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
    train(
        teacher,
        loss,
        data.training_set(folder),
        folder / f"teacher-{name}.pt",
        steps=TEACHER_STEPS,
        lr=3e-3,
        seed=11,
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
        store,
        path,
        steps=STAGE1_STEPS,
        lr=2e-3,
        seed=12,
        watch=lambda: {
            k: v.item() for k, v in distillation(backbone, teachers, held_out.image).items()
        },
    )
    return path


def adapters_present(count: int) -> Tensor:
    """Which experts a training sample has: [count, 1 + T] bool, the stem always."""
    n = len(spec.TEACHERS)
    left = torch.multinomial(torch.tensor(ADAPTERS_LEFT), count, replacement=True)
    rank = torch.rand(count, n).argsort(1).argsort(1)
    return torch.cat([torch.ones(count, 1, dtype=torch.bool), rank < left[:, None]], 1)


def stage2(folder: Path, store: Store) -> Path:
    """Train routers and heads, and everything below them, on the five tasks."""
    path = folder / "student.pt"
    torch.manual_seed(3)
    student = Student(WIDTHS)
    begin_heads(student.get_submodule("heads.depth.last_conv"))
    if not path.exists():
        state = torch.load(folder / "stage1.pt", weights_only=True)["model"]
        student.backbone.load_state_dict(state, strict=False)

    def loss(batch: data.Batch, present: Tensor | None = None) -> dict[str, Tensor]:
        terms = losses.task_losses(student(batch.image, present)[0], batch)
        return terms | {"total": losses.total(terms)}

    held_out = held_out_batch()
    stem_only = torch.tensor([[True] + [False] * len(spec.TEACHERS)]).expand(WATCHED, -1)

    def watch() -> dict[str, float]:
        full = {k: v.item() for k, v in loss(held_out).items()}
        return full | {f"stem_{k}": v.item() for k, v in loss(held_out, stem_only).items()}

    train(
        student,
        lambda batch: loss(batch, adapters_present(len(batch.image))),
        store,
        path,
        steps=STAGE2_STEPS,
        lr=1.5e-3,
        seed=13,
        watch=watch,
    )
    return path
