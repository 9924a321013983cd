"""What things cost, as ratios within one run: ``python -m tests.benchmarks.costs``.

Each pair is timed in turn, on one thread, and the median of many rounds is shown.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.hierarchy import Grammar, Hierarchy, sample
from cortexsim.learners import Backprop, Learner
from cortexsim.rate import Optimization
from cortexsim.rate.network import Network
from cortexsim.runs.assemble import assemble
from cortexsim.runs.configuration import Model
from cortexsim.runs.locate import find_model
from cortexsim.seeds import stream

ROUNDS, STEPS, BATCH = 30, 20, 128


def seconds(work: Callable[[], None]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float, float]:
    """Time two works in turn, and answer with both medians and the median ratio."""
    first(), second()
    pairs = [(seconds(first), seconds(second)) for _ in range(ROUNDS)]
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)


def stepper(learner: Learner, stage: int) -> Callable[[], None]:
    """Some steps of a learner on random leaves."""
    hierarchy = learner.network.hierarchy
    leaves = torch.rand(BATCH, hierarchy.leaves, hierarchy.features)
    seen, labels = learner.present(stage, leaves), torch.randint(hierarchy.classes, (BATCH,))

    def work() -> None:
        for _ in range(STEPS):
            learner.step(stage, seen, labels, 0.0)

    return work


def bare_backprop(hierarchy: Hierarchy, model: Model) -> Callable[[], None]:
    """The arithmetic of backpropagation, written straight into torch."""
    network: Network = assemble(model, hierarchy, 0).network
    weights = [layer.feedforward.weights.detach()[0].clone().requires_grad_() for layer in network.layers]
    biases = [layer.bias.detach()[0].clone().requires_grad_() for layer in network.layers]
    output = torch.nn.Linear(network.output.shape[1], hierarchy.classes)
    optimizer = torch.optim.AdamW([*weights, *biases, *output.parameters()], lr=1e-3, fused=True)
    leaves, labels = (
        torch.rand(BATCH, hierarchy.leaves * hierarchy.features),
        torch.randint(hierarchy.classes, (BATCH,)),
    )

    def work() -> None:
        for _ in range(STEPS):
            activity = leaves
            for weight, bias in zip(weights, biases, strict=True):
                activity = torch.relu(activity.view(-1, weight.shape[1]) @ weight.T + bias)
            optimizer.zero_grad()
            cross_entropy(output(activity), labels).backward()
            optimizer.step()

    return work


@torch.no_grad()
def bare_clapp(hierarchy: Hierarchy, model: Model, stage: int) -> Callable[[], None]:
    """The arithmetic of one greedy CLAPP layer, written straight into torch for s = 2 and shared weights."""
    network = assemble(model, hierarchy, 0).network
    layer = network.layers[stage]
    positions, weight, bias = layer.positions, layer.feedforward.weights[0], layer.bias[0]
    assert layer.context is not None
    context = layer.context.weights
    rates = (1e-3, 1e-3, 3e-3)
    parameters = (weight, bias, context)
    optimizer = torch.optim.AdamW(
        [{"params": [p], "lr": lr} for p, lr in zip(parameters, rates, strict=True)], fused=True
    )
    below = torch.rand(BATCH, positions, weight.shape[1])
    square = torch.tensor(0.3)

    def work() -> None:
        for _ in range(STEPS):
            clapp_step(below, square, weight, bias, context)
            optimizer.step()

    def clapp_step(below: Tensor, square: Tensor, weight: Tensor, bias: Tensor, context: Tensor) -> None:
        square.lerp_(below.square().mean(), 0.01)
        pre = (below * (0.5 * square.rsqrt())).view(-1, weight.shape[1])
        drive = torch.addmm(bias, pre, weight.T)
        activity = torch.relu(drive).view(-1, 2, bias.shape[0])  # (tuples, place, cells)
        heard = activity.flip(1)
        dendrite = torch.bmm(heard.transpose(0, 1), context.transpose(1, 2)).transpose(0, 1)
        dendrites = dendrite.reshape(BATCH, positions, -1)
        rates = activity.reshape(BATCH, positions, -1)
        other = dendrites.roll(1, 0)
        same = ((rates * dendrites).sum(-1, keepdim=True) < 1).float()
        saccade = -((rates * other).sum(-1, keepdim=True) > -1).float()
        post = (same * dendrites + saccade * other) * (drive > 0).view_as(rates)
        flat = post.view(-1, bias.shape[0])
        weight.grad, bias.grad = flat.T @ pre / -len(flat), -flat.mean(0)
        onto = (same * rates + (saccade * rates).roll(-1, 0)).view(-1, 2, bias.shape[0]).transpose(0, 1)
        context.grad = torch.bmm(onto.transpose(1, 2), heard.transpose(0, 1)) / -len(activity)

    return work


def main() -> None:
    """Print all ratios."""
    torch.set_num_threads(1)
    hierarchy, clapp, backprop = Hierarchy(), find_model("clapp"), find_model("backprop")
    learner = assemble(clapp, hierarchy, 0)
    reference = Backprop(assemble(backprop, hierarchy, 0).network, Optimization())
    print(f"{clapp.network.cells} cells a column, batch {BATCH}, depth {hierarchy.depth}, medians of {ROUNDS} rounds")
    for stage in range(learner.stages):
        local, end_to_end, found = ratio(stepper(learner, stage), stepper(reference, 0))
        show(f"CLAPP step of layer {stage + 1} / backpropagation step", local, end_to_end, found)
    for stage in range(learner.stages):
        local, bare, found = ratio(stepper(assemble(clapp, hierarchy, 0), stage), bare_clapp(hierarchy, clapp, stage))
        show(f"CLAPP step of layer {stage + 1} / bare torch", local, bare, found)
    local, bare, found = ratio(stepper(reference, 0), bare_backprop(hierarchy, backprop))
    show("backpropagation step / bare torch", local, bare, found)
    grammar = Grammar.draw(hierarchy, stream(0, "grammar"))
    spent = min(seconds(lambda: sample(grammar, 1_000_000, stream(0, "data")).leaves.sum()) for _ in range(3))
    print(f"a million samples, v = 8, m = 4, L = 4, s = 2: {spent:.2f} s")


def show(what: str, first: float, second: float, found: float) -> None:
    """Print one pair."""
    print(f"{what}: {1e3 * first / STEPS:.2f} ms / {1e3 * second / STEPS:.2f} ms, ratio {found:.2f}")


if __name__ == "__main__":
    main()
