"""Errors that pass from layer to layer in Brian2: where rates are at their steady state, as in rate layers."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor

from cortexsim.config.building import assemble
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.learners import BrianLearner, Feedback
from cortexsim.rate import Network, Optimization
from cortexsim.rules import known_rules
from cortexsim.tasks.rhm import Hierarchy

ETA = 0.5
SETTINGS = {
    "network.substrate": "brian-rate",
    "network.cells": 5,
    "network.initial_scale": 1.5,
    "spiking.fixation": "400 ms",
    "spiking.tau_eligibility": "8 ms",
    "spiking.homeostasis": 0.0,
    "spiking.mean_rate": 0.0,
    "training.eta": ETA,
    "training.weight_decay": 0.0,
    "training.epochs": 1,
}


def changes(name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What layers in Brian2 learn from one fixation, per unit of eta, and what rate layers with their weights do."""
    model = changed(find_model("models/dfa-spiking.toml"), {**SETTINGS, "rule.name": name})
    task = Hierarchy(features=4, multiplicity=2, depth=3)
    learner = assemble(model, task, seed=1, target="numpy")
    assert isinstance(learner, BrianLearner)
    network = learner.network
    draw = torch.Generator().manual_seed(2)
    network.output.copy_(torch.randn(network.output.shape, generator=draw))
    copies = deepcopy((network.layers, network.output, network.output_bias))
    twin, before = Network(network.topology, *copies).double(), {k: v.clone() for k, v in network.state().items()}
    leaves = torch.rand(1, 8, 4, generator=draw)
    labels = torch.tensor([2])
    learner.step(0, learner.stage_inputs(0, leaves), labels, None)
    want = Feedback(twin, known_rules()[name], Optimization()).updates(leaves.double(), labels)
    return {key: (tensor - before[key]).double() / ETA for key, tensor in network.state().items()}, want


@pytest.mark.parametrize("name", ["fa", "burstprop", "kolen_pollack"])
def test_an_error_passes_through_layers_in_brian_as_it_does_through_rate_layers(name: str) -> None:
    got, want = changes(name)
    compared = [f"layer{number}.feedforward" for number in (1, 2, 3)]
    if name == "kolen_pollack":
        compared += [f"layer{number}.feedback" for number in (1, 2, 3)]
    for key in compared:
        assert want[key].abs().max() > 1e-3, f"nothing to compare in {key}"
        torch.testing.assert_close(got[key], want[key], rtol=1e-4, atol=1e-5 * float(want[key].abs().max()))
