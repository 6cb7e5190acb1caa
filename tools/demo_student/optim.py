"""Optimisers: Muon for the stem's and paths' matrices, AdamW for everything else.

Muon reaches a given loss in fewer steps than AdamW on matrices, which counts on two CPU cores.
"""

import math
from typing import Any

import torch
from torch import nn

# The last layer of the depth output, in the student and in a teacher.
DEPTH_OUTPUT = ("heads.depth.last_conv", "heads.depth.weight", "heads.depth.bias")


class Optimisers:
    """Muon and AdamW under one cosine schedule with warm-up."""

    def __init__(self, model: nn.Module, lr: float, steps: int, warmup: int) -> None:
        """Split the parameters.

        Args:
            model: what to train.
            lr: peak rate of both (Muon's update is scaled to AdamW's size).
            steps: when the rate reaches zero.
            warmup: steps of linear rise.
        """
        self.steps, self.warmup = steps, warmup
        matrices, others, routers, fine = [], [], [], []
        for name, parameter in model.named_parameters():
            if ".mor." in name:
                routers.append(parameter)
            elif name.startswith(DEPTH_OUTPUT):
                fine.append(parameter)
            elif parameter.ndim == 2 and (".blocks." in name or "tsap." in name):
                matrices.append(parameter)
            else:
                others.append(parameter)
        groups = [
            {"params": others, "lr": lr, "weight_decay": 0.02},
            {"params": routers, "lr": 2 * lr, "weight_decay": 0.0},
            # Depth leaves the head in metres, where all of a scene lies within a tenth.
            {"params": fine, "lr": 0.03 * lr, "weight_decay": 0.0},
        ]
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW([g for g in groups if g["params"]], betas=(0.9, 0.98))
        ]
        if matrices:
            self.parts.append(
                torch.optim.Muon(matrices, lr=lr, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
            )
        for part in self.parts:
            for group in part.param_groups:
                group["peak"] = group["lr"]
        self.parameters = [p for p in model.parameters() if p.requires_grad]

    def step(self, number: int) -> float:
        """Clip, update, clear.

        Args:
            number: the step's number, from 0.

        Returns:
            The rate as a share of its peak.
        """
        share = min((number + 1) / self.warmup, 0.5 + 0.5 * math.cos(math.pi * number / self.steps))
        torch.nn.utils.clip_grad_norm_(self.parameters, 2.0)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = share * group["peak"]
            part.step()
            part.zero_grad(set_to_none=True)
        return share

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {str(n): part.state_dict() for n, part in enumerate(self.parts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        for n, part in enumerate(self.parts):
            part.load_state_dict(state[str(n)])
