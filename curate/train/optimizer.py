"""AdamW, in eight bits where bitsandbytes is installed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from curate.train.config import TrainConfig


@dataclass(frozen=True)
class Optimizer:
    """A torch optimizer over the adapter, and a note when it is not the one asked for."""

    torch: torch.optim.Optimizer
    notes: tuple[str, ...] = ()

    def step(self, learning_rate: float) -> None:
        """One step at this rate; gradients are gone afterwards."""
        for group in self.torch.param_groups:
            group["lr"] = learning_rate
        self.torch.step()
        self.torch.zero_grad(set_to_none=True)


def make_optimizer(config: TrainConfig, parameters: Sequence[torch.nn.Parameter]) -> Optimizer:
    """The optimizer of a run; adamw8bit without bitsandbytes becomes adamw, and says so."""
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "adamw8bit":
        try:
            from bitsandbytes.optim import AdamW8bit
        except ImportError:
            note = "optimizer: bitsandbytes is not installed (pip install 'ltx-curate[8bit]'), adamw instead of adamw8bit"
            return Optimizer(torch.optim.AdamW(parameters, lr=rate, weight_decay=decay), (note,))
        return Optimizer(AdamW8bit(parameters, lr=rate, weight_decay=decay))
    return Optimizer(torch.optim.AdamW(parameters, lr=rate, weight_decay=decay))
