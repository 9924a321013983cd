"""Vector cells and the rule that needs them, in networks small enough to enumerate."""

from itertools import product

import torch
from torch.nn.functional import one_hot

from cortexsim.analysis.alignment import gradients
from cortexsim.learners import Feedback
from cortexsim.rate import Architecture, Optimization, VectorNetwork
from cortexsim.tasks.rhm import Hierarchy
from tests.learners.taught import HIERARCHY, RULES, batch
from tests.nets import build


def test_gevb_has_the_sign_of_the_gradient_for_every_synapse_and_sample() -> None:
    rule, hierarchy = RULES["gevb"], Hierarchy(features=2, multiplicity=2, depth=2, classes=2)
    found = build(Architecture(cells=4), hierarchy, 1, VectorNetwork, dtype=torch.float64)
    taught = Feedback(found, rule, Optimization())
    checked = 0
    for symbols in product(range(2), repeat=hierarchy.leaves):
        leaves = one_hot(torch.tensor([symbols]), 2).double()
        for label in range(2):
            labels = torch.tensor([label])
            updates, downhill = taught.updates(leaves, labels), gradients(found, leaves, labels)
            for name, gradient in downhill.items():
                told = gradient != 0
                assert (updates[name][told].sign() == -gradient[told].sign()).all(), name
                checked += int(told.sum())
    assert checked > 500


def test_vector_cells_keep_their_weights_at_zero_or_more() -> None:
    found = build(Architecture(cells=4), HIERARCHY, 0, VectorNetwork, dtype=torch.float64)
    taught = Feedback(found, RULES["gevb"], Optimization(eta=0.3))
    for _ in range(5):
        taught.step(0, *batch(), progress=0.0)
    assert found.layers[0].feedforward.weights.min() < 0
    for weights in (found.layers[1].feedforward.weights, found.layers[2].feedforward.weights, found.output):
        assert weights.min() == 0 < weights.max()


def test_vector_layers_gate_all_components_together() -> None:
    found = build(Architecture(cells=4), HIERARCHY, 0, VectorNetwork, dtype=torch.float64)
    for activity in found.activities(batch()[0]):
        vectors = activity.unflatten(2, (4, 4))
        silent = (vectors == 0).all(3)
        assert ((vectors != 0).any(3) == ~silent).all()
        assert 0.2 < silent.double().mean() < 0.8
