"""Explicit updates against independent references: autograd of a rule's loss, and rules written out in NumPy."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cortexsim.modulators import Modulator
from cortexsim.rate import TRANSFERS, Architecture, Layer, Plasticity
from cortexsim.rules import Rule, ThreeFactor, known_rules
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build


def layer_with_context(shared: bool, transfer: str, size: int = 2, context: str = "sibling") -> tuple[Layer, Tensor]:
    """A layer of 4 or 9 columns whose weights are random and whose scores fall on both sides of the hinge."""
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=3, tuple_size=size)
    architecture = Architecture(cells=5, shared=shared, transfer=transfer)
    network = build(architecture, hierarchy, 0, dtype=torch.float64, context=(context, "sibling", "none"))
    layer = network.layers[0]
    generator = torch.Generator().manual_seed(1)
    assert layer.context is not None
    layer.context.weights.normal_(0, 1.5, generator=generator)
    layer.bias.normal_(0.3, 0.2, generator=generator)
    return layer, torch.randn(7, hierarchy.leaves, 4, generator=generator, dtype=torch.float64)


def clapp_loss(
    layer: Layer, below: Tensor, context: Tensor | None = None, margin_after: float = 1.0, both_ways: bool = False
) -> Tensor:
    """CLAPP's loss from its definition, column by column; the context is taken as given, unless it is told."""
    activity = layer(below)
    context_activity = layer.gather_context(activity).detach() if context is None else context
    before, after = (
        torch.cat([context_activity[-1:], context_activity[:-1]]),
        torch.cat([context_activity[1:], context_activity[:1]]),
    )
    scored = [(1, 0.5, context_activity), (1, 0.5, context_activity), (-1, 0.5, before), (-1, 0.5, after)]
    losses = []
    assert layer.context is not None
    for contrast, weight, other in scored if both_ways else [(1, 1, context_activity), (-1, 1, before)]:
        for p in range(layer.positions):
            weights = layer.context.weights[p % layer.context.groups]
            score = torch.einsum("bi,ij,bj->b", activity[:, p], weights, other[:, p])
            losses.append(weight * torch.clamp((1 if contrast > 0 else margin_after) - contrast * score, min=0))
    return torch.stack(losses)


@pytest.mark.parametrize("name", ["clapp", "clapp_bidirectional"])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("transfer", sorted(TRANSFERS))
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("margin_after", [1.0, 0.2])
def test_clapp_is_the_gradient_of_its_loss(
    name: str, shared: bool, transfer: str, size: int, margin_after: float
) -> None:
    layer, below = layer_with_context(shared, transfer, size)
    rule = known_rules()[name].with_constants({"margin_after": margin_after}, {})
    updates = Plasticity(rule).updates(layer, layer.respond(below))
    assert layer.context is not None
    parameters = {"feedforward": layer.feedforward.weights, "bias": layer.bias, "context": layer.context.weights}
    for parameter in parameters.values():
        parameter.requires_grad_()
    losses = clapp_loss(layer, below, margin_after=margin_after, both_ways=name == "clapp_bidirectional")
    assert (losses > 0).any()
    assert (losses == 0).any()  # Both sides of the gate are tested.
    losses.sum().backward()
    observations = {
        "feedforward": layer.feedforward.groups,
        "bias": layer.feedforward.groups,
        "context": layer.context.groups,
    }
    for key, parameter in parameters.items():
        assert parameter.grad is not None
        mean = parameter.grad / (len(below) * layer.positions / observations[key])
        assert updates[key].abs().max() > 0
        torch.testing.assert_close(updates[key], -mean, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("context", ["sibling", "sibling+cousin", "fixation"])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("size", [2, 3])
def test_with_retrodiction_clapp_is_the_gradient_through_contexts_too(context: str, shared: bool, size: int) -> None:
    layer, below = layer_with_context(shared, "saturating", size, context)
    assert layer.context is not None
    rules, response = known_rules(), layer.respond(below)
    found, given = (Plasticity(rules[name]).updates(layer, response) for name in ("clapp_retro", "clapp"))
    parameters = {"feedforward": layer.feedforward.weights, "bias": layer.bias, "context": layer.context.weights}
    for parameter in parameters.values():
        parameter.requires_grad_()
    losses = clapp_loss(layer, below, context=layer.gather_context(layer(below)))
    assert (losses > 0).any()
    assert (losses == 0).any()
    losses.sum().backward()
    for key, parameter in parameters.items():
        groups = len(parameter)
        assert parameter.grad is not None
        mean = parameter.grad / (len(below) * layer.positions / groups)
        assert (found[key] + mean).norm() < 1e-9 * mean.norm()
        if key == "context":
            torch.testing.assert_close(given[key], found[key])
        else:
            assert (given[key] + mean).norm() > 0.1 * mean.norm()


def test_a_second_view_is_told_nothing_of_what_is_made_of_it() -> None:
    layer, below = layer_with_context(True, "relu", 2, "synonym")
    response = layer.respond(below)
    context_activity = layer.gather_context(response.activity, view=layer.respond(below.flip(0)).activity)
    found, given = (
        Plasticity(known_rules()[name]).updates(layer, response, context_activity) for name in ("clapp_retro", "clapp")
    )
    for name, update in found.items():
        torch.testing.assert_close(update, given[name])


def test_clapp_of_the_top_layer_receives_the_label() -> None:
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=2)
    network = build(Architecture(cells=5), hierarchy, 0, dtype=torch.float64, context=("sibling", "label"))
    top, generator = network.layers[1], torch.Generator().manual_seed(1)
    assert top.context is not None
    top.context.weights.normal_(0, 0.5, generator=generator)
    below = torch.rand(6, 2, 5, generator=generator, dtype=torch.float64)
    label = torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 3, 0, 1]), 4).double().unsqueeze(1)
    updates = Plasticity(known_rules()["clapp"]).updates(top, top.respond(below), label)
    top.feedforward.weights.requires_grad_()
    clapp_loss(top, below, label).sum().backward()
    assert top.feedforward.weights.grad is not None
    torch.testing.assert_close(updates["feedforward"], -top.feedforward.weights.grad / 6, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
def test_hebb_is_covariance_with_decay(shared: bool) -> None:
    layer, below = layer_with_context(shared, "relu")
    layer.context = None
    layer.mean.fill_(0.2)
    mean, response = layer.mean.clone().numpy(), layer.respond(below)
    z, x, w = response.activity.numpy(), response.pre.numpy(), layer.feedforward.weights.numpy()
    updates = Plasticity(known_rules()["hebb"]).updates(layer, response)
    expected, bias = np.zeros_like(w), np.zeros_like(layer.bias.numpy())
    for p in range(layer.positions):
        copy = 0 if shared else p
        for b in range(len(z)):
            expected[copy] += np.outer(z[b, p] - mean[copy], x[b, p]) - z[b, p][:, None] ** 2 * w[copy]
            bias[copy] += z[b, p] - mean[copy] - z[b, p] ** 2 * layer.bias.numpy()[copy]
    observations = len(z) * (layer.positions if shared else 1)
    np.testing.assert_allclose(updates["feedforward"].numpy(), expected / observations, rtol=1e-10)
    np.testing.assert_allclose(updates["bias"].numpy(), bias / observations, rtol=1e-10)


def test_contexts_come_from_both_sides_for_any_number_of_saccades() -> None:
    """A sum over contexts, each with its contrast, is what it is written out as."""
    layer, below = layer_with_context(False, "relu")
    said = Modulator("said", value="contrast_all")
    third = ThreeFactor(post="1", third="said_all * dendrite_post")
    context = ThreeFactor("1", "0")
    rule = Rule("mine", "", "", third, context, modulators=(said,), saccades=2, negatives="around")
    response = layer.respond(below)
    updates = Plasticity(rule).updates(layer, response)
    assert layer.context is not None
    context_activity = layer.context(layer.gather_context(response.activity))
    summed = torch.zeros_like(context_activity)
    for b in range(len(below)):
        summed[b] = context_activity[b] - sum(context_activity[(b + lag) % len(below)] for lag in (-2, -1, 1, 2))
    torch.testing.assert_close(updates["bias"], summed.mean(0))


def test_gain_zero_lesions_a_modulator() -> None:
    layer, below = layer_with_context(True, "relu")
    lesioned = known_rules()["clapp"].with_constants({}, {"surprise": 0.0})
    updates = Plasticity(lesioned).updates(layer, layer.respond(below))
    assert all((update == 0).all() for update in updates.values())


@pytest.mark.parametrize("scope", ["column", "layer"])
def test_a_modulator_speaks_to_its_scope(scope: str) -> None:
    layer, below = layer_with_context(True, "relu")
    layer.context = None
    modulator = Modulator("total", value="score_all", score="activity_post", scope=scope)  # type: ignore[arg-type]
    rule = Rule("mine", "", "", ThreeFactor(post="1", third="total_all"), modulators=(modulator,))
    response = layer.respond(below)
    updates = Plasticity(rule).updates(layer, response)
    total = response.activity.sum(2) if scope == "column" else response.activity.sum((1, 2))[:, None]
    torch.testing.assert_close(updates["bias"], total.expand(-1, layer.positions).mean().expand(1, 5))


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
def test_softhebb_is_published_equation_over_each_column(shared: bool) -> None:
    layer, below = layer_with_context(shared, "relu")
    layer.context = None
    response = layer.respond(below)
    updates = Plasticity(known_rules()["softhebb"]).updates(layer, response)
    weights = layer.feedforward.weights.expand(4, -1, -1)
    wanted = torch.zeros(4, *weights.shape[1:], dtype=torch.float64)
    for x, a in zip(response.pre, response.drive, strict=True):
        for column in range(4):
            y = a[column].exp() / a[column].exp().sum()
            wanted[column] += torch.outer(y, x[column]) - (y * a[column])[:, None] * weights[column]
    wanted = wanted.mean(0, keepdim=True) / 7 if shared else wanted / 7
    torch.testing.assert_close(updates["feedforward"], wanted)
