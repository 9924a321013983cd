"""Similarity of updates with those of one loss at the top, where it is known."""

import pytest
import torch

from cortexsim.analysis.gradient_similarity import layer_cosines
from tests.learners.test_paired import CONTEXTS, batch, learner, network


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_highest_layer_has_the_gradient_itself_and_nothing_changes(context: str) -> None:
    built = network(context, depth=2)
    before = {name: tensor.clone() for name, tensor in built.state().items()}
    found = layer_cosines(learner(built), batch())
    assert found[1] == pytest.approx(1.0, abs=1e-12)
    assert -0.9 < found[0] < 0.999
    for name, tensor in built.state().items():
        assert torch.equal(tensor, before[name])
        assert not tensor.requires_grad
