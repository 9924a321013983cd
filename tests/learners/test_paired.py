"""CLAPP++ on convolutional columns, against its published losses, written out here with the layers of torch."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from itertools import accumulate

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d

from cortexsim.learners import PairedEndToEnd, PairedLocal, paired_clapp_loss, paired_loss
from cortexsim.rate import Architecture, Network, Optimization, Synapses
from cortexsim.rules import load_rule
from cortexsim.topology import convolution, pooled, stacked, with_places

SIDE, CHANNELS, CELLS, PLACES, PAIRS, ETA = 8, 3, (5, 4), (2, 1), 6, 2e-4
RULE = load_rule("clapp").with_scope("layer")
CONTEXTS = ["view", "view-top", "view|view-top"]


def network(context: str, depth: int) -> Network:
    """Layers of 3 x 3 windows with padding and max pooling, whose dendrites share places."""
    grid, layers = (SIDE, SIDE), []
    for cells, places in list(zip(CELLS, PLACES, strict=True))[:depth]:
        layers.append(with_places(pooled(convolution(grid, 3, 1, cells, padding=1), 2, "max"), places))
        grid = layers[-1].sent_grid
    topology = stacked((SIDE, SIDE), CHANNELS, tuple(layers))
    synapses = Synapses(context=(context,) * depth, context_synapses="uniform")
    built = Network.build(Architecture(initial="uniform"), topology, 10, 0, synapses, dtype=torch.float64)
    for layer in built.layers:
        for each in layer.each_dendrite:
            assert each.context is not None
            each.context.weights *= 8  # So that scores lie on both sides of the margin.
    return built


def batch(seed: int = 0) -> Tensor:
    shape = (PAIRS, 2, SIDE**2, CHANNELS)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Published:
    """The same layers by `conv2d`, with the losses of CLAPP++: the next sample as negative, both views together."""

    def __init__(self, built: Network, context: str) -> None:
        self.contexts = context.split("|")
        self.weights, self.biases, self.predictors = [], [], []
        below = CHANNELS
        for layer in built.layers:
            weights = layer.feedforward.weights[0].clone().unflatten(1, (9, below)).transpose(1, 2)
            self.weights.append(weights.reshape(layer.cells, below, 3, 3).contiguous().requires_grad_())
            self.biases.append(layer.bias[0].clone().requires_grad_())
            own = [each.context.weights[0].clone() for each in layer.each_dendrite if each.context is not None]
            self.predictors.append([weights.requires_grad_() for weights in own])
            below = layer.cells

    def parameters(self) -> list[Tensor]:
        return [*self.weights, *self.biases, *(weights for own in self.predictors for weights in own)]

    def codes(self, pairs: Tensor, through: bool) -> list[Tensor]:
        """Average activity of the places of each layer, all first views before all second ones, place by place."""
        below, codes = pairs.transpose(0, 1).reshape(2 * PAIRS, SIDE, SIDE, CHANNELS).permute(0, 3, 1, 2), []
        for weights, bias, places in zip(self.weights, self.biases, PLACES, strict=False):
            h = max_pool2d(torch.relu(conv2d(below, weights, bias, padding=1)), 2)
            codes.append(avg_pool2d(h, h.shape[2] // places).flatten(2).transpose(1, 2).flatten(1))
            below = h if through else h.detach()
        return codes

    def losses(self, pairs: Tensor, through: bool = False) -> list[Tensor]:
        codes, losses = self.codes(pairs, through), []
        for code, own in zip(codes, self.predictors, strict=True):
            z, total = torch.cat([code[PAIRS:], code[:PAIRS]]), torch.zeros((), dtype=torch.float64)
            after = torch.cat([z[1:], z[:1]])
            for predictor, context in zip(own, self.contexts, strict=True):
                c = (codes[-1] if context == "view-top" else code).detach()
                predicted = c @ predictor.T
                hinges = torch.relu(1 - (z * predicted).sum(1)) + torch.relu(1 + (after * predicted).sum(1))
                assert int((hinges > 0).sum()) > 0
                total = total + hinges.mean()
            losses.append(total)
        return losses


def as_published(state: dict[str, Tensor], like: Published) -> list[Tensor]:
    """Order tensors that have names of a network's state as `Published.parameters`, and shape them alike."""
    found: dict[str, list[Tensor]] = {"feedforward": [], "bias": [], "context": []}
    for k, weights in enumerate(like.weights, 1):
        channels = weights.shape[1]
        windows = state[f"layer{k}.feedforward"][0].unflatten(1, (9, channels)).transpose(1, 2)
        found["feedforward"].append(windows.reshape(weights.shape))
        found["bias"].append(state[f"layer{k}.bias"][0])
        names = ["context", *(f"dendrite{n}.context" for n in range(2, len(like.contexts) + 1))]
        found["context"] += [state[f"layer{k}.{name}"][0] for name in names]
    return [*found["feedforward"], *found["bias"], *found["context"]]


def learner(built: Network) -> PairedLocal:
    optimization = Optimization("adamw", ETA, schedule="constant")
    return PairedLocal(built, RULE, optimization, "simultaneous", trained_layers=len(built.layers))


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("context", CONTEXTS)
def test_updates_are_the_gradients_of_the_published_losses(context: str, depth: int) -> None:
    built = network(context, depth)
    published = Published(built, context)
    with torch.no_grad():
        updates = {
            f"layer{k + 1}.{name}": update
            for k, of_layer in learner(built).updates(0, batch())
            for name, update in of_layer.items()
        }
    gradients = torch.autograd.grad(torch.stack(published.losses(batch())).sum(), published.parameters())
    for ours, theirs in zip(as_published(updates, published), gradients, strict=True):
        assert theirs.abs().max() > 1e-4
        assert (ours + theirs).norm() < 1e-10 * theirs.norm()


@pytest.mark.parametrize("context", CONTEXTS)
def test_ten_steps_of_adamw_lead_to_the_same_weights(context: str) -> None:
    built = network(context, depth=2)
    published, ours = Published(built, context), learner(built)
    optimizer = torch.optim.AdamW(published.parameters(), lr=ETA, weight_decay=0.0)
    before = [tensor.detach().clone() for tensor in published.parameters()]
    for seed in range(10):
        ours.step(0, batch(seed), torch.zeros(PAIRS).long(), seed / 10)
        optimizer.zero_grad()
        torch.stack(published.losses(batch(seed))).sum().backward()
        optimizer.step()
    for one, other, first in zip(as_published(built.state(), published), published.parameters(), before, strict=True):
        assert (other - first).abs().max() > 2 * ETA
        assert (one - other).abs().max() < 1e-9


@pytest.mark.parametrize("context", CONTEXTS)
def test_end_to_end_it_is_the_loss_of_the_highest_layer_through_all_layers(context: str) -> None:
    built = network(context, depth=2)
    published = Published(built, context)
    trained = {name: tensor for name, tensor in built.state().items() if name.endswith(("feedforward", "bias"))}
    trained = {name: tensor.requires_grad_() for name, tensor in trained.items() if name.startswith("layer")}
    loss = paired_loss(built, paired_clapp_loss, batch())
    gradients = dict(zip(trained, torch.autograd.grad(loss, list(trained.values())), strict=True))
    theirs = torch.autograd.grad(published.losses(batch(), through=True)[-1], [*published.weights, *published.biases])
    contexts = {name: torch.zeros_like(tensor) for name, tensor in built.state().items() if name.endswith("context")}
    for ours, expected in zip(as_published(gradients | contexts, published), theirs, strict=False):
        assert (ours - expected).norm() < 1e-10 * expected.norm()


def test_a_greedy_stage_trains_its_layer_alone_and_computes_what_lies_below() -> None:
    built = network("view", depth=2)
    together = deepcopy(built)
    greedy = PairedLocal(built, RULE, Optimization("sgd", ETA), "greedy", trained_layers=2)
    assert greedy.stages == 2
    before = {name: tensor.clone() for name, tensor in built.state().items()}
    greedy.step(1, batch(), torch.zeros(PAIRS).long(), 0.0)
    changed = {name for name, tensor in built.state().items() if not torch.equal(tensor, before[name])}
    assert changed == {"layer2.feedforward", "layer2.bias", "layer2.context"}
    PairedLocal(together, RULE, Optimization("sgd", ETA), "simultaneous", trained_layers=2).step(
        0, batch(), torch.zeros(PAIRS).long(), 0.0
    )
    torch.testing.assert_close(built.state()["layer2.feedforward"], together.state()["layer2.feedforward"])


def test_end_to_end_learning_lowers_its_loss() -> None:
    built = network("view", depth=2)
    whole = PairedEndToEnd(built, Optimization("adamw", 0.01), paired_clapp_loss)
    losses = []
    for _ in range(30):
        losses.append(float(paired_loss(built, paired_clapp_loss, batch()).detach()))
        whole.step(0, batch(), torch.zeros(PAIRS).long(), 0.0)
    assert losses[-1] < 0.75 * losses[0]


def peak(step: Callable[[], object]) -> int:
    """Largest number of bytes that are allocated at once during a step, beside those before it."""
    step()  # The state of the optimiser.
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        step()
    assert profile.profiler is not None
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return max(accumulate(event.nbytes() for event in events))


def equal_layers(depth: int) -> Network:
    columns = [convolution((SIDE, SIDE), 3, 1, CHANNELS, padding=1) for _ in range(depth)]
    topology = stacked((SIDE, SIDE), CHANNELS, tuple(with_places(each, 2) for each in columns))
    synapses = Synapses(context=("view",) * depth, context_synapses="uniform")
    return Network.build(Architecture(initial="uniform"), topology, 10, 0, synapses, dtype=torch.float64)


def test_memory_of_a_local_step_does_not_grow_with_depth() -> None:
    labels, found = torch.zeros(PAIRS).long(), dict[str, list[int]]()
    for depth in (2, 4, 8):
        for schedule in ("greedy", "simultaneous"):
            local = PairedLocal(equal_layers(depth), RULE, Optimization("sgd"), schedule, trained_layers=depth)  # type: ignore[arg-type]
            step = partial(local.step, local.stages - 1, batch(), labels, 0.0)
            found.setdefault(schedule, []).append(peak(step))
        whole = PairedEndToEnd(equal_layers(depth), Optimization("sgd"), paired_clapp_loss)
        found.setdefault("end to end", []).append(peak(partial(whole.step, 0, batch(), labels, 0.0)))
    for schedule in ("greedy", "simultaneous"):
        assert found[schedule][-1] < 1.02 * found[schedule][0]
    assert found["end to end"][-1] > 2.5 * found["end to end"][0]
