import pytest
import torch

from curate.train.config import TrainConfig, learning_rate
from curate.train.optimizer import make_optimizer, step

KINDS = ("adamw", "adamw8bit")


@pytest.mark.parametrize("kind", KINDS)
def test_it_lowers_a_loss_and_leaves_no_gradient(kind: str) -> None:
    weight = torch.nn.Parameter(
        torch.ones(64, 64)
    )  # 4096 numbers: from there on bitsandbytes uses eight bits
    config = TrainConfig(optimizer=kind, learning_rate=0.1, schedule="linear", steps=8)
    optimizer = make_optimizer(config, [weight])
    losses = list[float]()
    for number in range(config.steps):
        loss = weight.square().mean()
        torch.autograd.backward(loss)
        step(optimizer, learning_rate(config, number))
        assert weight.grad is None
        losses.append(loss.item())
    assert losses[0] == 1 and losses[-1] < 0.5
    kept = optimizer.state[weight].values()
    assert any(isinstance(value, torch.Tensor) and value.dtype == torch.uint8 for value in kept) == (
        kind == "adamw8bit"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_goes_as_far_as_its_rate_and_weights_decay(kind: str) -> None:
    """Adam's first step is the rate, whatever the gradient; the decay multiplies the weight (decoupled)."""
    weight = torch.nn.Parameter(torch.full((64, 64), 2.0))
    optimizer = make_optimizer(TrainConfig(optimizer=kind, weight_decay=0.1), [weight])
    torch.autograd.backward(5 * weight.sum())
    step(optimizer, 0.25)
    assert torch.allclose(weight, torch.full((64, 64), 2 * (1 - 0.25 * 0.1) - 0.25), atol=2e-3)
