"""The training loop all stages share: steps, logs, checkpoints, resuming."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from tools.demo_student.optim import Optimisers
from torch import Tensor, nn

SAVE_EVERY_S = 120.0
BATCH = 16
T = TypeVar("T")


def save(path: Path, model: nn.Module, optimiser: Optimisers, step: int, per_epoch: int) -> None:
    """Write the official layout: model, optimizer, scheduler, epoch, iter_count."""
    part = path.with_suffix(".part")
    state = {
        "model": model.state_dict(),
        "optimizer": optimiser.state_dict(),
        "scheduler": {"last_epoch": step, "steps": optimiser.steps},
        "epoch": step // per_epoch,
        "iter_count": step,
    }
    torch.save(state, part)
    part.rename(path)


def train(
    model: nn.Module,
    loss: Callable[[T], dict[str, Tensor]],
    feed: Callable[[int], Iterator[T]],
    path: Path,
    *,
    per_epoch: int,
    steps: int,
    lr: float,
    seed: int,
    factors: Mapping[str, float] | None = None,
    watch: Callable[[], dict[str, float]] | None = None,
    watch_every: int = 100,
    bfloat16: bool = True,
) -> None:
    """Train to `steps`, resuming from `path` if it exists.

    Args:
        model: trained in place.
        loss: terms of a batch; "total" is minimised, all are logged.
        feed: batches without end, from a step's number on; resumed, the same ones follow.
        path: the checkpoint; the log lies beside it as .jsonl.
        per_epoch: batches in the training set.
        steps: length of the schedule.
        lr: peak learning rate.
        seed: of the arithmetic's random numbers.
        factors: of the rate, by part of a parameter's name.
        watch: held-out figures to log now and then.
        watch_every: how often, in steps.
        bfloat16: whether matrix products are computed in it; slow where the CPU has no such.
    """
    optimiser = Optimisers(model, lr, steps, max(20, steps // 25), factors)
    step = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        step = state["iter_count"]
        if step < steps:
            optimiser.load_state_dict(state["optimizer"])
    log = path.with_suffix(".jsonl").open("a")
    model.train()
    saved = began = time.monotonic()
    given = feed(step)
    while step < steps:
        torch.manual_seed(seed * 1_000_003 + step)
        batch = next(given)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            terms = loss(batch)
        terms["total"].backward()  # type: ignore[no-untyped-call]
        share = optimiser.step(step)
        step += 1
        row = {"step": step, "rate": share, "seconds": time.monotonic() - began}
        row |= {name: term.item() for name, term in terms.items()}
        if watch and (step % watch_every == 0 or step == steps):
            model.eval()
            with torch.no_grad():
                row |= {f"held_out_{name}": value for name, value in watch().items()}
            model.train()
        print(json.dumps(row), file=log, flush=True)
        if time.monotonic() - saved > SAVE_EVERY_S or step == steps:
            save(path, model, optimiser, step, per_epoch)
            saved = time.monotonic()
    model.eval()
