"""Columns with dendrites of their own, one for each context: every dendrite adds the hinge of its own score."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor

from cortexsim import contexts
from cortexsim.learners import Local, PairedLocal
from cortexsim.rate import Architecture, Network, Optimization, Synapses, exchanged, side_by_side
from cortexsim.rules import load_rule
from cortexsim.topology import convolution, stacked

SIDE, BATCH, ETA = 4, 5, 0.1
TOPOLOGY = stacked((SIDE, SIDE), 2, (convolution((SIDE, SIDE), 3, 1, 3, padding=1),))


def network(context: str) -> Network:
    synapses = Synapses(context=(context,), context_synapses="uniform")
    built = Network.build(Architecture(initial="uniform"), TOPOLOGY, 2, 0, synapses, dtype=torch.float64)
    for each in built.layers[0].each_dendrite:
        assert each.context is not None
        each.context.weights *= 6
    return built


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def hinges(built: Network, inputs: Tensor, received: list[Tensor]) -> Tensor:
    """Sum over dendrites of the mean hinge of a column, what each receives given, (batch, positions, context cells)."""
    layer = built.layers[0]
    z, losses = layer.respond(inputs).activity, []
    for each, context in zip(layer.each_dendrite, received, strict=True):
        assert each.context is not None
        for contrast, c in ((1, context), (-1, context.roll(1, 0))):
            score = torch.einsum("bpi,ij,bpj->bp", z, each.context.weights[0], c)
            losses.append(torch.clamp(1 - contrast * score, min=0).mean())
    return torch.stack(losses).sum()


def check(before: Network, after: Network, inputs: Tensor, received: list[Tensor]) -> None:
    """Compare the weights after a step with those that follow the gradient of the hinges."""
    names = ("feedforward", "bias", "context")
    tensors = {name: tensor for name, tensor in before.state().items() if name[:5] == "layer" and name.endswith(names)}
    for tensor in tensors.values():
        tensor.requires_grad_()
    gradients = torch.autograd.grad(hinges(before, inputs, received), list(tensors.values()))
    for (name, old), gradient in zip(tensors.items(), gradients, strict=True):
        assert gradient.abs().max() > 1e-4
        torch.testing.assert_close(after.state()[name], (old - ETA * gradient).detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("context", ["offset(1,0)|offset(2,0)", "neighbour|offset(0,1)|fixation", "offset(1,0)"])
def test_columns_of_the_same_view(context: str) -> None:
    before, inputs = network(context), draw(BATCH, SIDE**2, 2)
    after = deepcopy(before)
    Local(after, load_rule("clapp"), Optimization("sgd", ETA), trained_layers=1).step(
        0, inputs, torch.zeros(BATCH), 0.0
    )
    activity = before.layers[0].respond(inputs).activity
    tables = [contexts.column_table(name, TOPOLOGY, 1) for name in context.split("|")]
    received = [activity[:, torch.from_numpy(table)].flatten(2) for table in tables]
    check(before, after, inputs, received)


@pytest.mark.parametrize("context", ["view", "view|fixation", "view|view-top"])
def test_columns_of_the_other_view(context: str) -> None:
    before, pairs = network(context), draw(BATCH, 2, SIDE**2, 2)
    after = deepcopy(before)
    learner = PairedLocal(after, load_rule("clapp"), Optimization("sgd", ETA), "simultaneous", trained_layers=1)
    learner.step(0, pairs, torch.zeros(BATCH), 0.0)
    inputs = side_by_side(pairs)
    own = before.layers[0].respond(inputs).activity
    other = exchanged(own)
    top = other.flatten(1).unsqueeze(1).expand(-1, SIDE**2, -1)
    received = [{"view": other, "fixation": own, "view-top": top}[name].detach() for name in context.split("|")]
    check(before, after, inputs, received)


def test_a_dendrite_of_its_own_may_receive_the_label() -> None:
    before, inputs = network("fixation|label"), draw(BATCH, SIDE**2, 2)
    after, labels = deepcopy(before), torch.tensor([0, 1, 1, 0, 1])
    learner = Local(after, load_rule("clapp"), Optimization("sgd", ETA), trained_layers=1)
    assert learner.uses_labels
    learner.step(0, inputs, labels, 0.0)
    own = before.layers[0].respond(inputs).activity
    told = torch.eye(2, dtype=torch.float64)[labels][:, None].expand(-1, SIDE**2, -1)
    check(before, after, inputs, [own, told])
