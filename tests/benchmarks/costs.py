"""Costs of training steps, as ratios within one run: ``python -m tests.benchmarks.costs``.

The two sides of each ratio are timed alternately on one thread; medians over many rounds are printed.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.config.building import assemble
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model
from cortexsim.learners import Budget, Learner, train
from cortexsim.rate.network import Network
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy, sample

ROUNDS, STEPS, BATCH = 30, 40, 128


def seconds(work: Callable[[], None]) -> float:
    """Duration of one call, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float, float]:
    """Time two functions alternately: the median duration of each, and the median ratio."""
    first(), second()
    pairs = [(seconds(first), seconds(second)) for _ in range(ROUNDS)]
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)


def in_turn(functions: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """A function that calls all functions in turn."""

    def work() -> None:
        for function in functions:
            function()

    return work


def training(learner: Learner, stage: int) -> Callable[[], None]:
    """One epoch of the training loop, for one stage of a learner."""
    network = learner.network
    leaves = torch.rand(STEPS * BATCH, network.topology.inputs, network.topology.channels)
    labels = torch.randint(network.classes, (len(leaves),))
    only = OneStage(learner, learner.stage_inputs(stage, leaves), stage)
    return lambda: train(only, leaves, labels, Budget(epochs=1, batch=BATCH), seed=0)


class OneStage:
    """One stage of a learner, its input computed beforehand."""

    stages = 1
    streaming_stages = frozenset[int]()

    def __init__(self, learner: Learner, seen: Tensor, stage: int) -> None:
        self.learner, self.seen, self.stage = learner, seen, stage
        self.network, self.uses_labels, self.trained_layers = (
            learner.network,
            learner.uses_labels,
            learner.trained_layers,
        )

    def stage_inputs(self, stage: int, leaves: Tensor) -> Tensor:
        """Return the precomputed input."""
        return self.seen

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Train the learner on the batch."""
        self.learner.step(self.stage, seen, labels, progress)

    def classify(self, leaves: Tensor) -> Tensor | None:
        """Classify with the learner."""
        return self.learner.classify(leaves)


def task(hierarchy: Hierarchy) -> tuple[Tensor, Tensor]:
    """Random leaves and labels."""
    count = STEPS * BATCH
    return torch.rand(count, hierarchy.leaves, hierarchy.features), torch.randint(hierarchy.classes, (count,))


def shuffled() -> tuple[Tensor, ...]:
    """The batches of one epoch."""
    return torch.randperm(STEPS * BATCH).split(BATCH)


def bare_backprop(hierarchy: Hierarchy, model: Model) -> Callable[[], None]:
    """The arithmetic of backpropagation, in a plain torch loop."""
    network: Network = assemble(model, hierarchy, 0).network
    weights = [layer.feedforward.weights.detach()[0].clone().requires_grad_() for layer in network.layers]
    biases = [layer.bias.detach()[0].clone().requires_grad_() for layer in network.layers]
    output = torch.nn.Linear(network.output.shape[1], hierarchy.classes)
    optimizer = torch.optim.AdamW([*weights, *biases, *output.parameters()], lr=1e-3, fused=True)
    leaves, labels = task(hierarchy)

    def work() -> None:
        for chosen in shuffled():
            activity = leaves[chosen]
            for weight, bias in zip(weights, biases, strict=True):
                activity = torch.relu(activity.view(-1, weight.shape[1]) @ weight.T + bias)
            optimizer.zero_grad()
            cross_entropy(output(activity), labels[chosen]).backward()
            optimizer.step()

    return work


def bare_clapp(hierarchy: Hierarchy, model: Model, stage: int) -> Callable[[], None]:
    """The arithmetic of one greedy CLAPP layer, in a plain torch loop, for s = 2 and shared weights."""
    layer = assemble(model, hierarchy, 0).network.layers[stage]
    positions, weight, bias = layer.positions, layer.feedforward.weights[0], layer.bias[0]
    assert layer.context is not None
    context = layer.context.weights
    optimizer = torch.optim.AdamW([{"params": [tensor], "lr": 1e-3} for tensor in (weight, bias, context)], fused=True)
    below, labels = torch.rand(STEPS * BATCH, positions, weight.shape[1]), torch.zeros(STEPS * BATCH)
    square = torch.tensor(0.3)

    @torch.no_grad()
    def work() -> None:
        for chosen in shuffled():
            clapp_step(below[chosen], labels[chosen])
            optimizer.step()

    def clapp_step(seen: Tensor, _: Tensor) -> None:
        square.lerp_(seen.square().mean(), 0.01)
        pre = (seen * (0.5 * square.rsqrt())).view(-1, weight.shape[1])
        drive = torch.addmm(bias, pre, weight.T)
        activity = torch.relu(drive).view(-1, 2, bias.shape[0])  # (tuples, place, cells)
        context_activity = activity.flip(1)
        dendrite = torch.bmm(context_activity.transpose(0, 1), context.transpose(1, 2)).transpose(0, 1)
        dendrites = dendrite.reshape(BATCH, positions, -1)
        rates = activity.reshape(BATCH, positions, -1)
        other = dendrites.roll(1, 0)
        same = ((rates * dendrites).sum(-1, keepdim=True) < 1).float()
        saccade = -((rates * other).sum(-1, keepdim=True) > -1).float()
        post = (same * dendrites + saccade * other) * torch.sign(rates)
        flat = post.view(-1, bias.shape[0])
        weight.grad, bias.grad = flat.T @ pre / -len(flat), -flat.mean(0)
        onto = (same * rates + (saccade * rates).roll(-1, 0)).view(-1, 2, bias.shape[0]).transpose(0, 1)
        context.grad = torch.bmm(onto.transpose(1, 2), context_activity.transpose(0, 1)) / -len(activity)

    return work


def main() -> None:
    """Print all ratios, for networks of the default size and for larger ones."""
    torch.set_num_threads(1)
    for cells in (64, 256):
        compare_steps(cells)
    grammar = Grammar.draw(Hierarchy(), stream(0, "grammar"))
    spent = min(seconds(lambda: sample(grammar, 1_000_000, stream(0, "data")).leaves.sum()) for _ in range(3))
    print(f"a million samples, v = 8, m = 4, L = 4, s = 2: {spent:.2f} s")


def compare_steps(cells: int) -> None:
    """Print the ratios for networks with this number of cells per column."""
    hierarchy, clapp, backprop = Hierarchy(), sized("clapp", cells), sized("backprop", cells)
    learner, reference = assemble(clapp, hierarchy, 0), assemble(backprop, hierarchy, 0)
    print(
        f"{cells} cells a column, batch {BATCH}, depth {hierarchy.depth}; medians of {ROUNDS} epochs of {STEPS} steps"
    )
    for stage in range(learner.stages):
        show(f"CLAPP, layer {stage + 1} / backpropagation", *ratio(training(learner, stage), training(reference, 0)))
    stages = range(learner.stages)
    local = [training(assemble(clapp, hierarchy, 0), stage) for stage in stages]
    bare = [bare_clapp(hierarchy, clapp, stage) for stage in stages]
    for stage in stages:
        show(f"CLAPP, layer {stage + 1} / bare torch", *ratio(local[stage], bare[stage]))
    show("CLAPP, all layers / bare torch", *ratio(in_turn(local), in_turn(bare)))
    show("backpropagation / bare torch", *ratio(training(reference, 0), bare_backprop(hierarchy, backprop)))


def sized(name: str, cells: int) -> Model:
    """A model of the package with a different number of cells."""
    model = find_model(name)
    copy = model.model_copy(update={"network": model.network.model_copy(update={"cells": cells})})
    copy._name, copy._path = model._name, model._path
    return copy


def show(what: str, first: float, second: float, found: float) -> None:
    """Print one ratio."""
    print(f"{what}: {1e3 * first / STEPS:.2f} ms / {1e3 * second / STEPS:.2f} ms, ratio {found:.2f}")


if __name__ == "__main__":
    main()
