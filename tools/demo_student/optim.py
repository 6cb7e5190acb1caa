"""Optimisers: Muon for the stem's and paths' matrices, AdamW for everything else.

Muon reaches a given loss in fewer steps than AdamW on matrices, which matters on two CPU cores.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class Optimisers:
    """Muon and AdamW under one cosine schedule with warm-up."""

    def __init__(
        self,
        model: nn.Module,
        lr: float,
        steps: int,
        warmup: int,
        factors: Mapping[str, float] | None = None,
    ) -> None:
        """Split the parameters.

        Args:
            model: what to train.
            lr: peak rate of both (Muon's update is scaled to AdamW's size).
            steps: when the rate reaches zero.
            warmup: steps of linear rise.
            factors: what the rate is multiplied by for parameters whose name contains this.
        """
        self.steps, self.warmup = steps, warmup
        matrices: list[nn.Parameter] = []
        others: dict[float, list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            if parameter.ndim == 2 and (".blocks." in name or "tsap." in name):
                matrices.append(parameter)
            else:
                factor = next((f for part, f in (factors or {}).items() if part in name), 1.0)
                others.setdefault(factor, []).append(parameter)
        groups = [{"params": found, "lr": factor * lr} for factor, found in others.items()]
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.02)
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
