"""Normalised layers, against torch's own modules; and what backpropagation teaches in them."""

from typing import Any

import pytest
import torch

from cortexsim.config.building import assemble
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.learners import Learner
from cortexsim.rate import Architecture, Layer
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build

TREE = Hierarchy(features=4, multiplicity=2, depth=3)


def layer(kind: str, shared: bool = True) -> Layer:
    found = build(Architecture(cells=6, shared=shared, normalisation=kind), TREE, 0).layers[0]
    torch.manual_seed(0)
    assert found.normalisation is not None
    found.bias.copy_(torch.randn(found.bias.shape))
    found.normalisation.scale.copy_(torch.randn(found.bias.shape))
    return found


def leaves(samples: int = 5) -> torch.Tensor:
    return torch.randn(samples, 8, 4)


@pytest.mark.parametrize("learning", [True, False])
def test_columns_that_share_weights_share_the_statistics_of_the_batch(learning: bool) -> None:
    ours, theirs = layer("batch"), torch.nn.BatchNorm1d(6)
    with torch.no_grad():
        theirs.weight.copy_(ours.normalisation.scale[0])  # type: ignore[union-attr]
        theirs.bias.copy_(ours.bias[0])
    for _ in range(3):
        seen = leaves()
        theirs.train()(plain(ours, seen).flatten(0, 1))
        ours.respond(seen, learning=True)
    seen = leaves()
    expected = theirs.train(learning)(plain(ours, seen).flatten(0, 1)).view(5, 4, 6)
    assert torch.allclose(ours.respond(seen, learning).drive, expected, atol=1e-6)
    assert torch.equal(ours.respond(seen, learning).activity, torch.relu(ours.respond(seen, learning).drive))


@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_columns_with_weights_of_their_own_have_gains_and_statistics_of_their_own(kind: str) -> None:
    ours, seen = layer(kind, shared=False), leaves()
    drive = ours.respond(seen, learning=True).drive
    assert ours.normalisation is not None
    for column in range(4):
        values, bias, scale = plain(ours, seen)[:, column], ours.bias[column], ours.normalisation.scale[column]
        by = 0 if kind == "batch" else 1
        centred = values - values.mean(by, keepdim=True)
        expected = centred / torch.sqrt(centred.square().mean(by, keepdim=True) + 1e-5) * scale + bias
        assert torch.allclose(drive[:, column], expected, atol=1e-5)


def test_a_sample_is_evaluated_by_itself_and_nothing_follows_it() -> None:
    ours = layer("batch")
    for _ in range(3):
        ours.respond(leaves(), learning=True)
    before = {name: tensor.clone() for name, tensor in ours.state().items()}
    seen = leaves()
    assert torch.allclose(ours(seen)[:1], ours(seen[:1]), atol=1e-6)
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.state().items())


def plain(layer: Layer, seen: torch.Tensor) -> torch.Tensor:
    return layer.feedforward(seen.reshape(len(seen), layer.positions, -1))


def taught(values: dict[str, Any], name: str = "backprop-plain") -> tuple[Learner, dict[str, torch.Tensor]]:
    learner = assemble(changed(find_model(name), {"network.cells": 8, "training.warm_up": 0.0, **values}), TREE, 0)
    before = {name: tensor.detach().clone() for name, tensor in learner.network.state().items()}
    for _ in range(3):
        learner.step(0, leaves(6), torch.arange(6) % 4, 0.0)
    return learner, {k: v for k, v in learner.network.state().items() if not torch.equal(v, before[k])}


def test_backpropagation_teaches_gains_and_the_second_stage() -> None:
    _, moved = taught({"network.normalisation": "batch", "network.sends": "prediction"})
    for kind in ("feedforward", "bias", "scale", "running_mean", "running_variance"):
        assert {f"layer{k}.{kind}" for k in (1, 2, 3)} <= moved.keys()
    for kind in ("context", "sent_scale", "sent_bias", "sent_running_mean", "sent_running_variance"):
        assert {f"layer{k}.{kind}" for k in (1, 2)} <= moved.keys()
    assert "output" in moved


@pytest.mark.parametrize("shared", [True, False])
def test_what_is_sent_is_normalised_before_it_is_rectified(shared: bool) -> None:
    architecture = Architecture(cells=6, shared=shared, sends="prediction", normalisation="batch")
    network = build(architecture, TREE, 0, context=("sibling", "sibling", "none"), context_synapses="random")
    ours, above = network.layers[0], network.layers[-1]
    assert above.prediction_normalisation is None  # It is no context of others.
    assert ours.prediction_normalisation is not None
    activity = torch.rand(9, 4, 6)
    sent = ours.send(activity, learning=True)
    drive = ours._prediction_weights()(activity)
    groups = 2 if shared else 4  # Each of two siblings has context weights of its own.
    for place in range(groups):
        values = drive[:, place::groups]
        centred = values - values.mean((0, 1))
        expected = torch.relu(centred / torch.sqrt(centred.square().mean((0, 1)) + 1e-5))
        assert torch.allclose(sent[:, place::groups], expected, atol=1e-5)
    assert not torch.allclose(ours.send(activity), sent)  # Which evaluation does by running statistics.


@pytest.mark.parametrize("name", ["backprop-plain", "bp-clapp"])
def test_backpropagation_scales_its_input(name: str) -> None:
    learner, _ = taught({"network.input_rms": 0.7}, name)
    below = leaves(64)
    for layer in learner.network.layers[: learner.trained_layers]:
        response = layer.respond(below)
        scaling = layer.input_scaling
        assert scaling.has_input
        assert float(scaling.gain) == pytest.approx(0.7 * float(scaling.square) ** -0.5)
        assert not torch.equal(response.pre, below.reshape(response.pre.shape))
        below = response.activity.detach()
