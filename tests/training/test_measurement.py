"""Readouts take one thread: their results depend on no number of cores, and they wait for no other program."""

import pytest
import torch

from cortexsim.analysis.readout import Readout
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.trial import Trial
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import layer_accuracy, prepare, train_and_measure


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of threads at the beginning of each readout, where torch may take two."""
    seen: list[int] = []
    accuracy = Readout.accuracy

    def watched(*args: object, **keywords: object) -> float:
        seen.append(torch.get_num_threads())
        return accuracy(*args, **keywords)

    monkeypatch.setattr(Readout, "accuracy", watched)
    return seen


def test_readouts_take_one_thread(threads: list[int]) -> None:
    model = changed(find_model("untrained"), {"readout.epochs": 1})
    trial = Trial(model, Hierarchy(depth=2), samples=64, test_samples=32, grammar_seed=10, seed=0)
    prepared, before = prepare(trial), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train_and_measure(trial, prepared)
        layer_accuracy(trial, prepared, layer=0, kind="two-layer")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert len(threads) >= 2
    assert set(threads) == {1}
