"""AdamW, in eight bits where that is asked for."""

from collections.abc import Sequence

import torch

from curate.train.config import TrainConfig


def make_optimizer(config: TrainConfig, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of a run; adamw8bit wants bitsandbytes, see `fitted.without_extras`."""
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "adamw8bit":
        from bitsandbytes.optim import AdamW8bit

        optimizer: torch.optim.Optimizer = AdamW8bit(parameters, lr=rate, weight_decay=decay)
        return optimizer
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)


def step(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """One step at this learning rate; gradients are gone afterwards."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
