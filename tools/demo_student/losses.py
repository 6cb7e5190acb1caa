"""The five tasks' losses at the heads' own resolution."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from tools.demo_student.data import Batch
from torch import Tensor

# Inverse-root frequency, roughly: defects are rare, and a missed one costs more than a false one.
CLASS_WEIGHTS = (0.5, 0.7, 2.5, 2.5, 3.5, 2.5, 3.0)
EDGE_POSITIVE = 2.0
SALIENCY_POSITIVE = 3.0
DEPTH_SPREAD = 0.03  # metres; brings depth errors to the size of the other losses

# Weights of the tasks in the sum, set so that the terms are of similar size once training settles.
BALANCE = {"semseg": 1.0, "edge": 1.0, "sal": 1.0, "normals": 2.5, "depth": 0.7}


def semseg_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Weighted cross-entropy."""
    return F.cross_entropy(logits, batch.semseg, torch.tensor(CLASS_WEIGHTS))


def edge_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Weighted binary cross-entropy against the share of boundary pixels."""
    weight = torch.tensor(EDGE_POSITIVE)
    return F.binary_cross_entropy_with_logits(logits[:, 0], batch.edge, pos_weight=weight)


def sal_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Two-class cross-entropy against the share of defect pixels."""
    target = torch.stack([1 - batch.sal, SALIENCY_POSITIVE * batch.sal], 1)
    return -(target * logits.log_softmax(1)).sum(1).mean()


def normals_loss(logits: Tensor, batch: Batch) -> Tensor:
    """L1 of the raw vector plus one minus the cosine."""
    cosine = F.cosine_similarity(logits, batch.normals, dim=1)
    return (logits - batch.normals).abs().mean() + (1 - cosine).mean()


def normals_angle(logits: Tensor, batch: Batch) -> Tensor:
    """The metric itself (docs/model.md, section 8, mErr): the mean angle, in radians."""
    mine, truth = F.normalize(logits.float(), dim=1), batch.normals
    apart, together = (mine - truth).norm(dim=1), (mine + truth).norm(dim=1)
    return 2 * torch.atan2(apart, together).mean()


def depth_loss(logits: Tensor, batch: Batch) -> Tensor:
    """L1 in units of the depth's usual spread."""
    return (logits[:, 0] - batch.depth).abs().mean() / DEPTH_SPREAD


LOSSES = {
    "semseg": semseg_loss,
    "edge": edge_loss,
    "sal": sal_loss,
    "normals": normals_loss,
    "depth": depth_loss,
}


def task_losses(logits: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """The unweighted loss of each task there is a logit for."""
    return {task: LOSSES[task](logit.float(), batch) for task, logit in logits.items()}


def imbalance(routing: Mapping[str, Tensor]) -> Tensor:
    """Squared coefficient of variation of the experts' importance (Shazeer et al. 2017).

    Importance is the mean weight over images and tasks, so a task may still have its favourites.

    Args:
        routing: per task [B, levels, 1 + T].
    """
    importance = torch.stack(list(routing.values())).mean((0, 1))
    return (importance.var(-1, correction=0) / importance.mean(-1).square()).mean()


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """The balanced sum."""
    return torch.stack([BALANCE[task] * loss for task, loss in losses.items()]).sum()
