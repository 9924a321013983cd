"""How near an update comes to backpropagation, and what feedback weights come to."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import one_hot

from cortexsim.analysis.alignment import feedback_angles, input_shares, update_cosines
from cortexsim.learners import Budget, Feedback, train
from cortexsim.rate import Architecture, Network, Optimization
from cortexsim.tasks.rhm import Hierarchy
from tests.learners.taught import HIERARCHY, RULES, batch, learner
from tests.nets import build


def trained(name: str, **changes: float) -> Network:
    """Train a toy for a while."""
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=2)
    rule = RULES[name]
    found = build(Architecture(cells=16), hierarchy, 0, feedback="layered")
    settings = replace(Optimization(eta=0.01, weight_decay=1.0), **changes)
    generator = torch.Generator().manual_seed(0)
    leaves = one_hot(torch.randint(4, (256, hierarchy.leaves), generator=generator), 4).float()
    labels = leaves[:, :2].sum(1).argmax(1)
    train(Feedback(found, rule, settings), leaves, labels, Budget(epochs=60, batch=16), seed=0)
    return found


@pytest.mark.parametrize("name", ["kolen_pollack", "weight_mirror"])
def test_feedback_weights_come_to_mirror_the_forward_weights(name: str) -> None:
    before = feedback_angles(build(Architecture(cells=16), HIERARCHY, 0, feedback="layered"))
    assert min(before) > 60
    assert max(feedback_angles(trained(name))) < 20


def test_fixed_feedback_weights_stay() -> None:
    assert max(feedback_angles(trained("fa"))) > 40


def test_alignment_tells_the_rules_apart() -> None:
    leaves, labels = batch(64)
    assert update_cosines(learner("bp"), leaves, labels) == pytest.approx([1, 1, 1])
    assert update_cosines(learner("fa"), leaves, labels)[0] < 0.5


def test_masks_alone_make_feedback_depend_on_the_input() -> None:
    leaves, labels = batch(64)
    shares = {name: input_shares(learner(name), leaves, labels) for name in ("dfa", "dkp", "bp", "fa")}
    assert shares["dfa"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert shares["dkp"] == pytest.approx([0, 0, 0], abs=1e-12)
    for name in ("bp", "fa"):
        found = shares[name]
        assert found is not None
        assert found[2] == pytest.approx(0, abs=1e-12)  # The top layer has no layer above to be masked by.
        assert 0.05 < found[1] < found[0] < 1
    assert input_shares(learner("bp", masks="removed"), leaves, labels) == pytest.approx([0, 0, 0], abs=1e-12)
    assert input_shares(learner("predictive_coding"), leaves, labels) is None
