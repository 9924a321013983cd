"""Losses of a whole network without labels, against their definitions, and against the local rules of the same name."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from cortexsim.errors import UserError
from cortexsim.learners import EndToEnd, PredictiveCoding, clapp_loss, infonce_loss
from cortexsim.learners.contrast import Contrast
from cortexsim.rate import Architecture, Layer, Network, Optimization, Plasticity
from cortexsim.rules import known_rules
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build

RULES = known_rules()
LOSSES: dict[str, Contrast] = {"clapp": clapp_loss, "infonce": infonce_loss}


def network(name: str, shared: bool = True, size: int = 2) -> Network:
    """A network of three layers with random context weights where the loss has some."""
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=3, tuple_size=size)
    contexts = ("none", "sibling", "none") if name == "clapp" else ()
    found = build(Architecture(cells=5, shared=shared), hierarchy, 0, dtype=torch.float64, context=contexts)
    generator = torch.Generator().manual_seed(1)
    for layer in found.layers:
        layer.bias.normal_(0.3, 0.2, generator=generator)
        if layer.context is not None:
            layer.context.weights.normal_(0, 0.7, generator=generator)
    return found


def leaves(found: Network, count: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(count, found.topology.inputs, 4, generator=generator, dtype=torch.float64)


def others(p: int, size: int) -> list[int]:
    """The columns under the same parent as column p."""
    return [q for q in range(p - p % size, p - p % size + size) if q != p]


def hinge(layer: Layer, z: Tensor, size: int) -> Tensor:
    assert layer.context is not None
    total = z.new_zeros(())
    for b in range(len(z)):
        for p in range(layer.positions):
            weights = layer.context.weights[p % layer.context.groups]
            for sign, sample in ((1, b), (-1, b - 1)):
                context = torch.cat([z[sample, q] for q in others(p, size)])
                total = total + torch.clamp(1 - sign * (z[b, p] @ weights @ context), min=0)
    return total / (len(z) * layer.positions)


def angles(layer: Layer, z: Tensor, size: int) -> Tensor:
    total = z.new_zeros(())
    for b in range(len(z)):
        for p in range(layer.positions):
            context_activity = [torch.stack([z[b - lag, q] for q in others(p, size)]).mean(0) for lag in range(9)]
            scores = [
                z[b, p] @ c / torch.sqrt((z[b, p] @ z[b, p] + 1e-8) * (c @ c + 1e-8)) / 0.1 for c in context_activity
            ]
            total = total - log_softmax(torch.stack(scores), 0)[0]
    return total / (len(z) * layer.positions)


DEFINITIONS: dict[str, Callable[[Layer, Tensor, int], Tensor]] = {"clapp": hinge, "infonce": angles}


def downhill(name: str, found: Network, taught: dict[str, Tensor]) -> dict[str, Tensor]:
    """The negative gradient of the loss as it is defined, at the last layer with siblings, by name."""
    for tensor in taught.values():
        tensor.requires_grad_()
    loss = DEFINITIONS[name](
        found.layers[1], found.activities(leaves(found))[1], found.topology.layers[2].fields.shape[1]
    )
    found_there = torch.autograd.grad(loss, list(taught.values()))
    for tensor in taught.values():
        tensor.requires_grad_(False)
    return {key: -gradient for key, gradient in zip(taught, found_there, strict=True)}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_end_to_end_learning_follows_the_gradient_of_the_definition(name: str, shared: bool, size: int) -> None:
    found = network(name, shared, size)
    learner = EndToEnd(found, Optimization(method="sgd", eta=0.1), LOSSES[name])
    before = {key: tensor.detach().clone() for key, tensor in found.state().items()}
    other = network(name, shared, size)
    taught = {key: other.state()[key] for key in learner.optimizer.parameters}
    direction = downhill(name, other, taught)
    learner.step(0, leaves(found), torch.zeros(12), progress=0.0)
    for key, tensor in found.state().items():
        change = tensor.detach() - before[key]
        if key not in direction:
            assert not change.any(), key
            continue
        assert change.abs().max() > 1e-6, key
        torch.testing.assert_close(change, 0.1 * direction[key], rtol=1e-9, atol=1e-12)


def test_what_is_taught_ends_where_siblings_end() -> None:
    learner = EndToEnd(network("clapp"), Optimization(), clapp_loss)
    feedforward = {f"layer{k}.{kind}" for k in (1, 2) for kind in ("feedforward", "bias")}
    assert set(learner.optimizer.parameters) == feedforward | {"layer2.context"}
    assert (learner.trained_layers, learner.uses_labels, learner.stages) == (2, False, 1)
    assert learner.classify(leaves(learner.network)) is None


@pytest.mark.parametrize(("name", "rule", "scale"), [("clapp", "clapp", 1.0), ("infonce", "simclr_local", 0.1)])
def test_with_contexts_as_given_it_is_the_local_rule(
    name: str, rule: str, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its own layer; derivatives through the context are what the local rule lacks there."""
    found = network(name)
    layer, below = found.layers[1], found.layers[0](leaves(found))
    local = Plasticity(RULES[rule]).updates(layer, layer.respond(below))
    weights = layer.feedforward.weights.requires_grad_()
    (both,) = torch.autograd.grad(LOSSES[name](layer, layer(below)), weights)
    gather = Layer.gather_context
    monkeypatch.setattr(Layer, "gather_context", lambda self, activity: gather(self, activity).detach())
    (own,) = torch.autograd.grad(LOSSES[name](layer, layer(below)), weights)
    torch.testing.assert_close(local["feedforward"], -scale * own, rtol=1e-6, atol=1e-9)
    assert (both - own).norm() > 0.1 * own.norm()


def settled(name: str, shared: bool, **constants: float) -> PredictiveCoding:
    rule = RULES["predictive_coding"].with_constants(constants, {})
    return PredictiveCoding(network(name, shared), rule, Optimization(), LOSSES[name])


def per_column(learner: PredictiveCoding, direction: dict[str, Tensor]) -> dict[str, Tensor]:
    """An update averages over the columns of its own layer, and a loss over those of the last."""
    last = learner.below.layers[-1].positions
    scales = {}
    for k, layer in enumerate(learner.below.layers, 1):
        share = last * layer.feedforward.groups / layer.positions
        scales |= {f"layer{k}.feedforward": share, f"layer{k}.bias": share, f"layer{k}.context": 1.0}
    return {key: scales[key] * value for key, value in direction.items()}


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_predictions_that_stay_settle_to_the_gradient_of_the_loss(name: str, shared: bool) -> None:
    learner = settled(name, shared, fixed=1, rate=1, steps=2, precision=1)
    updates = learner.updates(leaves(learner.network))
    if name == "clapp":  # The context weights follow the gradient at settled values, which here are others.
        updates.pop("layer2.context")
    direction = per_column(learner, downhill(name, learner.network, {k: learner.network.state()[k] for k in updates}))
    for key, update in updates.items():
        assert update.abs().max() > 1e-6, key
        torch.testing.assert_close(update, direction[key], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_less_activity_moves_the_closer_settling_comes_to_the_gradient(name: str) -> None:
    found = []
    for precision in (1e-1, 1e-3, 1e-5):
        learner = settled(name, True, rate=0.1, steps=500, precision=precision)
        updates = learner.updates(leaves(learner.network))
        keys = ["layer1.feedforward", "layer2.feedforward"]
        direction = per_column(learner, downhill(name, learner.network, {k: learner.network.state()[k] for k in keys}))
        found.append(max(float((updates[k] / precision - direction[k]).norm() / direction[k].norm()) for k in keys))
    assert found[0] > found[1] > found[2]
    assert found[2] < 0.01


def test_settling_changes_what_the_layers_are_taught_and_nothing_else() -> None:
    learner = settled("clapp", True, precision=0.5)
    before = {key: tensor.clone() for key, tensor in learner.network.state().items()}
    learner.step(0, leaves(learner.network), torch.zeros(12), progress=0.0)
    changed = {key for key, tensor in learner.network.state().items() if not torch.equal(tensor, before[key])}
    assert changed == set(learner.optimizer.parameters)
    assert not any(tensor.requires_grad for tensor in learner.network.state().values())


def test_a_hierarchy_without_siblings_is_refused() -> None:
    alone = replace(network("infonce"), layers=network("infonce").layers[:1])
    with pytest.raises(UserError, match="no column has a sibling"):
        EndToEnd(alone, Optimization(), infonce_loss)
