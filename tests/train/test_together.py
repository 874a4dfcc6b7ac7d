from types import SimpleNamespace

import torch
from hypothesis import given
from hypothesis import strategies as st

from curate.train import together


def process(rank: int, processes: int) -> SimpleNamespace:
    return SimpleNamespace(process_index=rank, num_processes=processes)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 100))
def test_processes_share_the_turns_that_one_alone_would_have(
    processes: int, accumulation: int, step: int
) -> None:
    shares = [together.share(process(rank, processes), step, accumulation) for rank in range(processes)]
    alone = together.share(process(0, 1), step, accumulation * processes)
    assert {len(share) for share in shares} == {accumulation}
    assert [index for turn in zip(*shares, strict=True) for index in turn] == list(alone)
    assert alone.stop == together.share(process(0, 1), step + 1, accumulation * processes).start


def test_alone_what_nothing_reached_is_zero_and_all_else_stays() -> None:
    reached, silent = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))
    torch.autograd.backward(3 * reached.sum())
    together.average_gradients(process(0, 1), [reached, silent])
    assert reached.grad is not None and reached.grad.tolist() == [3, 3]
    assert silent.grad is not None and silent.grad.tolist() == [0, 0, 0]
    assert together.gathered(process(0, 1), ["a", "b"]) == ["a", "b"]
    assert together.anyone(process(0, 1), True) and not together.anyone(process(0, 1), False)
