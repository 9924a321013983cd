"""Every self-supervised rule is the gradient of its loss, written here from its definition; contexts are given."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from cortexsim.config.registry import find_model, folders
from cortexsim.modulators import Modulator
from cortexsim.rate import Architecture, Layer, Plasticity, mix_fixations
from cortexsim.rate.input_scaling import InputScaling
from cortexsim.rules import Rule, ThreeFactor, known_rules
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build

RULES = known_rules()
Loss = Callable[[Layer, Tensor, Rule], Tensor]


def layer_and_batch(rule: Rule, shared: bool, size: int) -> tuple[Layer, Tensor]:
    """A layer of 4 or 9 columns with random weights, and a batch that it sees."""
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=3, tuple_size=size)
    contexts = ("sibling", "sibling", "none") if rule.context is not None else ()
    network = build(Architecture(cells=5, shared=shared), hierarchy, 0, dtype=torch.float64, context=contexts)
    layer, generator = network.layers[0], torch.Generator().manual_seed(1)
    if layer.context is not None:
        layer.context.weights.normal_(0, 0.7, generator=generator)
    layer.bias.normal_(0.3, 0.2, generator=generator)
    layer.track(rule.requires)
    return layer, torch.randn(12, hierarchy.leaves, 4, generator=generator, dtype=torch.float64)


def mean_of_siblings(layer: Layer, activity: Tensor) -> Tensor:
    """The mean of the siblings' activity, cell by cell, as given: (batch, positions, cells)."""
    return layer.gather_context(activity).detach().unflatten(2, (-1, activity.shape[2])).mean(2)


def infonce(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    activity = layer(below)
    context_activity = layer.gather_context(activity).detach()
    assert layer.context is not None
    losses = []
    for p in range(layer.positions):
        weights = layer.context.weights[p % layer.context.groups]
        scores = [
            torch.einsum("bi,ij,bj->b", activity[:, p], weights, context_activity[:, p].roll(lag, 0))
            for lag in range(rule.saccades + 1)
        ]
        first = torch.zeros(len(below), dtype=torch.long)
        losses.append(cross_entropy(torch.stack(scores, 1), first, reduction="sum"))
    return torch.stack(losses).sum()


def size(activity: Tensor) -> Tensor:
    return torch.sqrt(activity.square().sum(2) + 1e-8)  # So that a silent column has an angle too.


def simclr(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    temperature = rule.modulators[-1].constants["temperature"]
    activity = layer(below)
    context_activity = mean_of_siblings(layer, activity)
    scores = [
        torch.einsum("bpc,bpc->bp", activity, other) / size(activity) / size(other) / temperature
        for other in (context_activity.roll(lag, 0) for lag in range(rule.saccades + 1))
    ]
    first = torch.zeros(len(below), layer.positions, dtype=torch.long)
    return temperature * cross_entropy(torch.stack(scores, 1), first, reduction="sum")


def by_group(layer: Layer, values: Tensor) -> Tensor:
    """The observations of each weight group: (groups, observations, cells)."""
    groups = layer.feedforward.groups
    return torch.stack([values[:, k::groups].flatten(0, 1) for k in range(groups)])


def spreads(layer: Layer, activity: Tensor) -> tuple[Tensor, Tensor]:
    """Covariance of each weight group over batch and positions, and the number of observations."""
    values = by_group(layer, activity)
    centred = values - values.mean(1, keepdim=True)
    return centred.transpose(1, 2) @ centred / values.shape[1], torch.tensor(values.shape[1])


def off_diagonal(covariance: Tensor) -> Tensor:
    return covariance - torch.diag_embed(covariance.diagonal(dim1=1, dim2=2))


def lpl(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    activity, constants = layer(below), rule.constants
    covariance, count = spreads(layer, activity)
    variance = covariance.diagonal(dim1=1, dim2=2)
    predictive = (activity - mean_of_siblings(layer, activity)).square().sum() / 2
    hebbian = -torch.log(variance + constants["floor"]).sum() / 2
    decorrelation = off_diagonal(covariance).square().sum() / 4
    return predictive + count * (constants["hebbian"] * hebbian + constants["decorrelation"] * decorrelation)


def vicreg(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    activity, constants = layer(below), rule.constants
    covariance, count = spreads(layer, activity)
    deviation = torch.sqrt(covariance.diagonal(dim1=1, dim2=2) + constants["floor"])
    invariance = (activity - mean_of_siblings(layer, activity)).square().sum() / 2
    variance = torch.clamp(constants["target"] - deviation, min=0).sum()
    decorrelation = off_diagonal(covariance).square().sum() / 4
    return constants["invariance"] * invariance + count * (
        constants["variance"] * variance + constants["covariance"] * decorrelation
    )


def barlow(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    activity, constants = layer(below), rule.constants
    both = []
    for values in (activity, mean_of_siblings(layer, activity)):
        rows = by_group(layer, values)
        both.append((rows - rows.mean(1, keepdim=True)) / torch.sqrt(rows.var(1, correction=0, keepdim=True) + 1e-4))
    correlation = both[0].transpose(1, 2) @ both[1] / both[0].shape[1]
    agreement = (1 - correlation.diagonal(dim1=1, dim2=2)).square().sum() / 2
    return both[0].shape[1] * (agreement + constants["redundancy"] * off_diagonal(correlation).square().sum() / 2)


def spectral(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    activity = layer(below)
    context_activity = layer.gather_context(activity).detach()
    assert layer.context is not None
    losses = []
    for k, weights in enumerate(layer.context.weights):
        z, c = (values[:, k :: layer.context.groups].flatten(0, 1) for values in (activity, context_activity))
        z, c = z - z.mean(0), c - c.mean(0)
        scores = z @ weights @ c.T
        losses.append(-scores.diagonal().sum() + scores.square().sum() / len(z) / 2)
    return torch.stack(losses).sum()


def goodness(layer: Layer, below: Tensor, rule: Rule) -> Tensor:
    """Of true inputs, and of inputs put together here patch by patch."""
    threshold = rule.modulators[0].constants["threshold"]
    false = torch.empty_like(below)
    for b in range(len(below)):
        for k in range(below.shape[1]):
            other = below[b - 1, k]
            if rule.negatives == "blend":
                false[b, k] = (below[b, k] + other) / 2
            else:
                false[b, k] = below[b, k] if k % (below.shape[1] // layer.positions) == 0 else other
    true, wrong = (layer(values).square().sum(2) for values in (below, false))
    return (softplus(threshold - true) + softplus(wrong - threshold)).sum()


LOSSES: dict[str, Loss] = {
    "infonce": infonce,
    "simclr_local": simclr,
    "lpl": lpl,
    "vicreg_local": vicreg,
    "barlow_local": barlow,
    "spectral": spectral,
    "forward_forward": goodness,
    "scff": goodness,
}


BY_SAMPLE = [("forward_forward", "sample"), ("scff", "sample")]
EVIDENT = {"barlow_local": {"redundancy": 0.5}}
"""Constants with which every term of a loss weighs about as much as any other."""


def updates_of(rule: Rule, layer: Layer, below: Tensor) -> dict[str, Tensor]:
    plasticity = Plasticity(rule, statistics="batch")
    with torch.no_grad():
        negative = None
        if rule.negative_inputs:
            negative = layer.respond_to_patches(mix_fixations(layer.gather(below), below.shape[2], rule.negatives))
        return plasticity.updates(layer, layer.respond(below), negative=negative)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("name", "scaling"), [(name, "none") for name in sorted(LOSSES)] + BY_SAMPLE)
def test_a_rule_is_the_gradient_of_its_loss(name: str, scaling: str, shared: bool, size: int) -> None:
    rule = RULES[name].with_constants(EVIDENT.get(name, {}), {})
    layer, below = layer_and_batch(rule, shared, size)
    layer.input_scaling = InputScaling(None if scaling == "none" else 1.3, scaling, torch.zeros(()))
    updates = updates_of(rule, layer, below)
    parameters = {"feedforward": layer.feedforward.weights, "bias": layer.bias}
    if layer.context is not None:
        parameters["context"] = layer.context.weights
    for parameter in parameters.values():
        parameter.requires_grad_()
    LOSSES[name](layer, below, rule).backward()
    for key, parameter in parameters.items():
        groups = len(parameter)
        assert parameter.grad is not None
        mean = parameter.grad / (len(below) * layer.positions / groups)
        assert mean.abs().max() > 1e-4
        torch.testing.assert_close(updates[key], -mean, rtol=1e-6, atol=1e-9)


def published_lpl(views: Tensor) -> Tensor:
    """The loss of LPL's published code, weights 1, 1 and 10; of two views, (2, batch, cells), averaged over them."""
    cells, centred = views.shape[2], views - views.mean(1, keepdim=True)
    covariance = centred.transpose(1, 2) @ centred / views.shape[1]
    pull, push = (views[0] - views[1]).square().mean(), -torch.log(views.var(1, correction=0) + 1e-4).mean()
    return pull + push + 10 * off_diagonal(covariance).square().sum((1, 2)).mean() / (cells * (cells - 1))


def published_vicreg(views: Tensor) -> Tensor:
    """The loss of VICReg's published code, weights 25, 25 and 1."""
    cells, centred = views.shape[2], views - views.mean(1, keepdim=True)
    covariance = centred.transpose(1, 2) @ centred / views.shape[1]
    spread = torch.relu(1 - torch.sqrt(views.var(1, correction=0) + 1e-4)).mean(1).sum() / 2
    alike = (views[0] - views[1]).square().mean()
    return 25 * alike + 25 * spread + off_diagonal(covariance).square().sum() / cells


@pytest.mark.parametrize(
    ("model", "published", "per_cell", "scale"),
    [
        ("lpl", published_lpl, {"hebbian": 0.5, "decorrelation": 10.0}, 1 / 2),
        ("vicreg", published_vicreg, {"invariance": 1.0, "variance": 0.25, "covariance": 0.08}, 1 / 50),
    ],
)
def test_models_have_the_balance_of_published_losses(
    model: str, published: Callable[[Tensor], Tensor], per_cell: dict[str, float], scale: float
) -> None:
    def constants(cells: int) -> dict[str, float]:
        return {name: value / (cells - 1) if value > 1 else value for name, value in per_cell.items()}

    built = find_model(str(folders("experiments")[0] / "self_supervised" / f"{model}-published.toml"))
    rule, written = RULES[built.rule_name], built.plasticity_rule().constants
    assert {name: written[name] for name in per_cell} == pytest.approx(constants(built.network.cells), rel=0.01)
    layer, below = layer_and_batch(rule, False, 2)
    for tensor in (layer.feedforward.weights, layer.bias):
        tensor.copy_(tensor[:1].expand_as(tensor))  # Columns are views: they have one network.
    found = updates_of(rule.with_constants(constants(5), {}), layer, below)["feedforward"].sum(0)
    weights = layer.feedforward.weights.requires_grad_()
    columns = layer(below).transpose(0, 1)
    (gradient,) = torch.autograd.grad(published(columns[:2]) + published(columns[2:]), weights)
    torch.testing.assert_close(found, -5 * scale * gradient.sum(0), rtol=1e-6, atol=1e-9)


PRINTED = replace(
    RULES["lpl"],
    feedforward=ThreeFactor(
        post="derivative_post",
        third="-decorrelation * (activity_post - mean_post) * (spread_all - (activity_post - mean_post)**2)",
    ),
    modulators=(Modulator("spread", scope="column", score="(activity_post - mean_post)**2", value="score_all"),),
)
"""What descends Eq. 6 of Halvagal & Zenke 2023 as printed, sum_{i != k} <(z_i - <z_i>)^2 (z_k - <z_k>)^2> / 4."""

CORRECTED = replace(
    RULES["lpl"], feedforward=ThreeFactor(post="derivative_post", third="-decorrelation * lateral_post")
)
"""The decorrelation of `lpl` alone: Eq. 6 as its erratum corrects it, sum_{i != k} C_ik^2 / 4."""


def printed(layer: Layer, below: Tensor) -> Tensor:
    """Eq. 6 as printed, for one copy of the weights, its means as given."""
    square = (layer(below) - layer(below).detach().mean((0, 1))).square().flatten(0, 1)
    return (square.sum(1).square() - square.square().sum(1)).sum() / 4


def corrected(layer: Layer, below: Tensor) -> Tensor:
    """Eq. 6 as corrected, for one copy of the weights."""
    covariance, count = spreads(layer, layer(below))
    return count * off_diagonal(covariance).square().sum() / 4


@pytest.mark.parametrize("loss", [printed, corrected])
def test_the_decorrelation_as_first_printed_is_not_the_gradient_of_decorrelation(
    loss: Callable[[Layer, Tensor], Tensor],
) -> None:
    found = {}
    for rule in (PRINTED, CORRECTED):
        layer, below = layer_and_batch(rule, True, 2)
        found[rule.feedforward.third] = updates_of(rule, layer, below)["feedforward"]
    weights = layer.feedforward.weights.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(layer, below), weights)
    downhill = -gradient / (len(below) * layer.positions)
    own, other = PRINTED.feedforward.third, CORRECTED.feedforward.third
    if loss is corrected:
        own, other = other, own
    torch.testing.assert_close(found[own], downhill, rtol=1e-6, atol=1e-9)
    assert torch.cosine_similarity(found[other].flatten(), downhill.flatten(), dim=0) < 0.9


def test_the_decorrelation_as_first_printed_changes_cells_that_have_nothing_in_common() -> None:
    """Two cells whose activity takes all four combinations of two values: their covariance is zero."""
    layer, _ = layer_and_batch(CORRECTED, True, 2)
    layer.feedforward.weights = torch.eye(5, 8, dtype=torch.float64).unsqueeze(0)
    layer.bias.zero_()
    below = torch.zeros(4, 8, 4, dtype=torch.float64)
    below[:, ::2, 0] = torch.tensor([1.0, 1.0, 2.0, 2.0]).double().unsqueeze(1)
    below[:, ::2, 1] = torch.tensor([1.0, 2.0, 1.0, 2.0]).double().unsqueeze(1)
    assert updates_of(CORRECTED, layer, below)["feedforward"].abs().max() < 1e-12
    update = updates_of(PRINTED, layer, below)["feedforward"][0]
    assert (update[0, 0], update[1, 1]) == (-1 / 16, -1 / 16)  # Variance of the one, times that of the other.


@pytest.mark.parametrize(
    ("name", "constants"),
    [("lpl", {}), ("vicreg_local", {"target": 3.0}), ("barlow_local", {"redundancy": 0.5}), ("spectral", {})],
)
def test_running_statistics_come_to_those_of_the_stream(name: str, constants: dict[str, float]) -> None:
    """The online rule, whose means and covariances follow the stream, does on average what the batch rule does."""
    rule = RULES[name].with_constants(constants, {})
    layer, _ = layer_and_batch(rule, True, 2)
    assert_same_mean_update(layer, Plasticity(rule), Plasticity(rule, statistics="batch"))


def assert_same_mean_update(layer: Layer, online: Plasticity, batchwise: Plasticity) -> None:
    """Show a layer a stream, and compare the mean updates by running statistics and by those of each batch."""
    generator = torch.Generator().manual_seed(2)
    found: dict[str, list[Tensor]] = {"online": [], "batch": []}
    for step in range(1000):
        below = torch.randn(256, 8, 4, generator=generator, dtype=torch.float64)
        below += torch.randn(256, 1, 4, generator=generator, dtype=torch.float64)  # What siblings have in common.
        response = layer.respond(below)
        update = online.updates(layer, response)["feedforward"]
        if step >= 500:
            found["online"].append(update)
            before = {key: tensor.clone() for key, tensor in layer.state().items()}
            found["batch"].append(batchwise.updates(layer, response)["feedforward"])
            for key, tensor in layer.state().items():
                tensor.copy_(before[key])
    means = {kind: torch.stack(several).mean(0) for kind, several in found.items()}
    assert (means["online"] - means["batch"]).norm() < 0.05 * means["batch"].norm()


@pytest.mark.parametrize("name", ["vicreg_local", "barlow_local", "spectral"])
def test_means_and_covariances_follow_at_their_own_rates(name: str) -> None:
    rule = RULES[name]
    layer, below = layer_and_batch(rule, False, 2)
    layer.mean_rate, layer.covariance_rate = 0.3, 0.05
    measured = []
    for batch in (below, 2 * below.flip(2)):
        layer.has_varied = False  # The first batch sets them.
        updates_of(rule, layer, batch)
        measured.append(statistics_of(layer))
    updates_of(rule, layer, below)
    for key, followed in statistics_of(layer).items():
        rate = 0.05 if "variance" in key else 0.3
        first, second = measured[1][key], measured[0][key]
        assert not torch.allclose(first, second)
        torch.testing.assert_close(followed, first + rate * (second - first), rtol=1e-9, atol=1e-12)


def statistics_of(layer: Layer) -> dict[str, Tensor]:
    weights = ("feedforward", "bias", "context", "input_square")
    return {name: tensor.clone() for name, tensor in layer.state().items() if name not in weights}


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", ["lpl", "vicreg_local", "barlow_local", "spectral"])
def test_statistics_that_follow_at_once_are_those_of_the_batch(name: str, shared: bool) -> None:
    rule = RULES[name]
    layer, below = layer_and_batch(rule, shared, 2)
    expected = updates_of(rule, layer, below)
    layer.mean_rate = layer.covariance_rate = 1.0
    for before in (2 * below, below):  # What was before is forgotten.
        updates = Plasticity(rule).updates(layer, layer.respond(before))
    torch.testing.assert_close(updates, expected, rtol=1e-10, atol=1e-12)
