import numpy as np
import pytest
import torch

from cortexsim.analysis.readout import Readout
from cortexsim.analysis.sample_complexity import bracket


@pytest.mark.parametrize(("kind", "low", "high"), [("linear", 0.3, 0.7), ("two-layer", 0.97, 1.0)])
def test_only_the_two_layer_readout_solves_exclusive_or(kind: str, low: float, high: float) -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(1200, 2, generator=generator) - 0.5
    labels = ((values[:, 0] > 0) ^ (values[:, 1] > 0)).long()
    keep = values.abs().min(1).values > 0.05
    values, labels = values[keep], labels[keep]
    readout = Readout(kind=kind, batch=32, eta=0.01)  # type: ignore[arg-type]
    accuracy = readout.accuracy(values[:600], labels[:600], values[600:], labels[600:], 2, 0)
    assert low <= accuracy <= high
    assert accuracy == readout.accuracy(values[:600], labels[:600], values[600:], labels[600:], 2, 0)


@pytest.mark.parametrize("kind", ["linear", "two-layer"])
def test_test_activity_is_scaled_by_the_training_statistics(kind: str) -> None:
    """Hence the prediction for a test sample does not depend on the other test samples."""
    train = torch.linspace(-1, 1, 201).unsqueeze(1) * 3 + 7
    labels = (train[:, 0] > 7).long()
    readout = Readout(kind=kind)  # type: ignore[arg-type]
    for test, truth in ((train[120:], 1), (train[:80], 0), (train[150:151].expand(2, -1) + 1, 1)):
        assert readout.accuracy(train, labels, test, torch.full((len(test),), truth), 2, 0) == 1


def test_p_star_is_bracketed_by_the_last_failure_and_the_first_lasting_success() -> None:
    # Chance 0.5: the criterion is an error of 0.05.
    assert bracket([100, 200, 400], [0.91, 0.96, 0.99], 0.5) == (100, 200)
    assert bracket([100, 200, 400], [0.96, 0.91, 0.99], 0.5) == (200, 400)
    assert bracket([100, 400], [0.96, 0.99], 0.5) == (0, 100)
    assert bracket([100, 400], [0.96, 0.7], 0.5) == (400, np.inf)
