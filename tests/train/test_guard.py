import os
import signal

import pytest
import torch

from curate.errors import CurateError
from curate.train import guard
from curate.train.config import TrainConfig
from curate.train.guard import naming_memory, stoppable, training_ways


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_and_an_echo_of_it_is_the_same_request(number: int) -> None:
    notes = list[str]()
    before = signal.getsignal(number)
    with stoppable(notes.append) as stop:
        assert not stop.asked
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        assert stop.asked
    assert notes == ["stopping after this step (again: at once)"]
    assert signal.getsignal(number) is before


def test_asking_again_later_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SAME_S", -1.0)  # any second request is a later one
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stoppable(lambda line: None):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_memory_that_runs_out_becomes_what_to_lower() -> None:
    with pytest.raises(CurateError) as caught, naming_memory("step 3", training_ways(TrainConfig(rank=64))):
        torch.empty(2**55)
    assert str(caught.value) == (
        "step 3: out of memory; lower it with --set gradient_checkpointing=true, --set quantize=int8, "
        "--set optimizer=adamw8bit, a smaller --set rank (now 64), or fewer frames or pixels in the set"
    )
    done = TrainConfig(gradient_checkpointing=True, quantize="int8", optimizer="adamw8bit")
    for error in (MemoryError(), torch.OutOfMemoryError("CUDA out of memory")):
        with (
            pytest.raises(CurateError, match="lower it with a smaller --set rank"),
            naming_memory("x", training_ways(done)),
        ):
            raise error


def test_other_errors_are_not_about_memory() -> None:
    with (
        pytest.raises(RuntimeError, match="must match"),
        naming_memory("step 3", training_ways(TrainConfig())),
    ):
        torch.zeros(2) + torch.zeros(3)
