"""The training loop all stages share: steps, logs, checkpoints, resuming."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tools.demo_student.data import Batch, batches
from tools.demo_student.optim import Optimisers
from torch import Tensor, nn

SAVE_EVERY_S = 120.0
BATCH = 16


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
    loss: Callable[[Batch], dict[str, Tensor]],
    store: dict[str, NDArray[np.generic]],
    path: Path,
    *,
    steps: int,
    lr: float,
    seed: int,
    factors: Mapping[str, float] | None = None,
    watch: Callable[[], dict[str, float]] | None = None,
    watch_every: int = 100,
) -> None:
    """Train to `steps`, resuming from `path` if it exists.

    Args:
        model: trained in place.
        loss: terms of a batch; "total" is minimised, all are logged.
        store: the training set.
        path: the checkpoint; the log lies beside it as .jsonl.
        steps: length of the schedule.
        lr: peak learning rate.
        seed: of the order of scenes and of their augmentation.
        factors: of the rate, by part of a parameter's name.
        watch: held-out figures to log now and then.
        watch_every: how often, in steps.
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
    per_epoch = len(store["image"]) // BATCH
    model.train()
    saved = began = time.monotonic()
    feed = batches(store, BATCH, seed, step)
    while step < steps:
        torch.manual_seed(seed * 1_000_003 + step)
        batch = next(feed)
        with torch.autocast("cpu", torch.bfloat16):
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
