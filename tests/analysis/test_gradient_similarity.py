"""Similarity of updates with those of one loss at the top, where it is known."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from cortexsim.analysis.gradient_similarity import layer_cosines
from cortexsim.learners import PairedLocal, paired_clapp_loss, paired_loss
from tests.learners.test_paired import CONTEXTS, batch, learner, network


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_highest_layer_has_the_gradient_itself_and_nothing_changes(context: str) -> None:
    built = network(context, depth=2)
    before = {name: tensor.clone() for name, tensor in built.state().items()}
    found = layer_cosines(learner(built), [batch()])
    assert found[1] == pytest.approx(1.0, abs=1e-12)
    assert -0.9 < found[0] < 0.999
    for name, tensor in built.state().items():
        assert torch.equal(tensor, before[name])
        assert not tensor.requires_grad


def test_updates_are_averaged_over_batches_before_they_are_compared() -> None:
    whole, again = (learner(network("view", depth=2)) for _ in range(2))
    one, other = batch(0), batch(1)
    assert layer_cosines(whole, [one, one]) == pytest.approx(layer_cosines(again, [one]), abs=1e-12)
    single, both = (layer_cosines(whole, batches)[0] for batches in ([one], [one, other]))
    assert both == pytest.approx(_by_hand(whole, [one, other]), abs=1e-12)
    assert abs(both - single) > 1e-3


def _by_hand(each: PairedLocal, batches: list[Tensor]) -> float:
    weights = each.network.layers[0].feedforward.weights
    local = sum(next(each.updates(0, batch))[1]["feedforward"] for batch in batches)
    weights.requires_grad_()
    loss = sum(paired_loss(each.network, paired_clapp_loss, batch) for batch in batches)
    (gradient,) = torch.autograd.grad(loss, weights)
    return float(cosine_similarity(local.flatten(), -gradient.flatten(), 0))
