"""Layers with a projection: the rule descends its loss of the projection, and the cells below learn from its error."""

from typing import Any

import pytest
import torch
from torch import Tensor

from cortexsim.rate import Architecture, Layer, Plasticity, mix_fixations
from cortexsim.rules import Rule, known_rules
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build
from tests.rate.test_self_supervised import EVIDENT, LOSSES, assert_same_mean_update

RULES = known_rules()
HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)


def layer_and_batch(rule: Rule, below: str, shared: bool = True) -> tuple[Layer, Tensor]:
    """A layer of 4 columns of 5 cells with a projection of 6, and a batch of inputs."""
    architecture = Architecture(cells=5, shared=shared, sends="projection", projection=6)
    options: dict[str, Any] = {
        "context": ("sibling", "sibling", "none") if rule.context is not None else (),
        "feedback": "none" if below == "bp" else "projection",
    }
    layer = build(architecture, HIERARCHY, 0, dtype=torch.float64, **options).layers[0]
    generator = torch.Generator().manual_seed(1)
    if (cells := layer.learning_cells).context is not None:
        cells.context.weights.normal_(0, 0.7, generator=generator)
    for bias in (layer.bias, cells.bias):
        bias.normal_(0.3, 0.2, generator=generator)
    cells.track(rule.requires)
    return layer, torch.randn(12, HIERARCHY.leaves, 4, generator=generator, dtype=torch.float64)


class Projected:
    """The cells of a projection as a layer that sees the input of the layer below."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.cells = layer, layer.learning_cells

    def __call__(self, below: Tensor) -> Tensor:
        return self.cells(self.layer.respond(below).activity)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cells, name)


def updates_of(rule: Rule, below: str, layer: Layer, inputs: Tensor) -> dict[str, Tensor]:
    plasticity = Plasticity(rule, statistics="batch", below_projection=RULES[below])
    with torch.no_grad():
        negative = None
        if rule.negative_inputs:
            negative = layer.respond_to_patches(mix_fixations(layer.gather(inputs), inputs.shape[2], rule.negatives))
        return plasticity.updates(layer, layer.respond(inputs), negative=negative)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_rule_with_a_projection_is_the_gradient_of_its_loss(name: str, shared: bool) -> None:
    rule = RULES[name].with_constants(EVIDENT.get(name, {}), {})
    layer, inputs = layer_and_batch(rule, "bp", shared)
    updates = updates_of(rule, "bp", layer, inputs)
    weights = {name: layer.state()[name].requires_grad_() for name in updates}
    loss = LOSSES[name](Projected(layer), inputs, rule)  # type: ignore[arg-type]
    gradients = torch.autograd.grad(loss, list(weights.values()))
    assert {"feedforward", "bias", "projection.feedforward"} <= weights.keys()
    for (name, tensor), gradient in zip(weights.items(), gradients, strict=True):
        count = len(inputs) * layer.positions / len(tensor)  # Updates are averages, the loss is a sum.
        torch.testing.assert_close(updates[name], -gradient / count, rtol=1e-6, atol=1e-9, msg=name)


def test_plastic_feedback_changes_as_the_projection_does() -> None:
    rule = RULES["barlow_local"]
    layer, inputs = layer_and_batch(rule, "kolen_pollack")
    updates = updates_of(rule, "kolen_pollack", layer, inputs)
    torch.testing.assert_close(updates["feedback"], updates["projection.feedforward"].transpose(1, 2))
    assert layer.feedback is not None
    assert not torch.allclose(layer.feedback.weights, layer.learning_cells.feedforward.weights.transpose(1, 2))


def test_cells_learn_through_the_feedback_weights_alone() -> None:
    rule = RULES["barlow_local"]
    layer, inputs = layer_and_batch(rule, "fa")
    assert "feedback" not in updates_of(rule, "fa", layer, inputs)
    assert layer.feedback is not None
    layer.feedback.weights.zero_()
    updates = updates_of(rule, "fa", layer, inputs)
    assert not updates["feedforward"].any()
    assert updates["projection.feedforward"].abs().max() > 1e-3


def test_on_and_off_cells_send_the_projection_less_its_mean() -> None:
    layer, inputs = layer_and_batch(RULES["barlow_local"], "fa")
    cells = layer.learning_cells
    assert cells.offset is not None
    activity = layer.respond(inputs).activity
    for _ in range(400):  # Inhibition follows the mean.
        updates_of(RULES["barlow_local"], "fa", layer, inputs)
    weights = cells.feedforward.weights[[0, 1, 0, 1]]
    drive = torch.einsum("bpc,pkc->bpk", activity, weights) + cells.bias[[0, 1, 0, 1]]
    centred = drive - torch.stack([drive[:, place::2].mean((0, 1)) for place in (0, 1)])[[0, 1, 0, 1]]
    sent = layer(inputs)
    assert sent.shape == (12, 4, 12)
    torch.testing.assert_close(sent[..., :6], centred.clamp(min=0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(sent[..., 6:], (-centred).clamp(min=0), rtol=1e-6, atol=1e-6)


def test_running_covariances_come_to_those_of_the_stream() -> None:
    rule = RULES["barlow_local"].with_constants({"redundancy": 0.5}, {})
    layer, _ = layer_and_batch(rule, "fa")
    layer.learning_cells.mean_rate, layer.learning_cells.covariance_rate = 1.0, 0.01
    assert_same_mean_update(layer, *(Plasticity(rule, kind, RULES["fa"]) for kind in ("running", "batch")))
