"""What the processes of a run do together; alone, each of these does nothing.

`accelerator` is Hugging Face's: it knows how many processes there are and carries tensors between them.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from curate.errors import CurateError

Item = TypeVar("Item")


def share(accelerator: Any, step: int, accumulation: int) -> range:
    """The turns of this process in a step, counted over the whole run and all processes."""
    processes, rank = accelerator.num_processes, accelerator.process_index
    begin = step * processes * accumulation
    return range(begin + rank, begin + processes * accumulation, processes)


def gathered(accelerator: Any, mine: list[Item]) -> list[Item]:
    """Everyone's items in the order of their turns."""
    if accelerator.num_processes == 1:
        return mine
    from accelerate.utils import gather_object

    everyone: list[Item] = gather_object(mine)  # by process, and within it by turn
    each = len(mine)
    return [
        everyone[place + each * rank] for place in range(each) for rank in range(accelerator.num_processes)
    ]


def average_gradients(accelerator: Any, parameters: Sequence[torch.nn.Parameter]) -> None:
    """Give every process the mean of all gradients; one that nothing reached this time is 0 (a silent sample's)."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    if accelerator.num_processes == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def first_of_all(accelerator: Any, work: Callable[[], Item]) -> Item:
    """What `work` gave on the first process, on every one: only that one does it, so each file has one writer.

    Raises, on every process, the CurateError that it raised: nobody is left waiting for a process that is gone.
    """
    if accelerator.num_processes == 1:
        return work()
    from accelerate.utils import broadcast_object_list

    found: list[Any] = [None]
    if accelerator.is_main_process:
        try:
            found = [work()]
        except CurateError as error:
            found = [error]
    broadcast_object_list(found)
    if isinstance(found[0], CurateError):
        raise found[0]
    result: Item = found[0]
    return result


def anyone(accelerator: Any, mine: bool) -> bool:
    """Whether it is so on any process."""
    if accelerator.num_processes == 1:
        return mine
    count = torch.tensor([int(mine)], device=accelerator.device)
    return bool(accelerator.reduce(count, "sum").item())
