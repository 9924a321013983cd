"""Every rule that is taught by an error, against backpropagation or its own paper's definition."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from cortexsim.analysis.alignment import gradients, update_cosines
from cortexsim.errors import UserError
from cortexsim.learners import Feedback
from cortexsim.rate import Network, Optimization, clamp_output, settle
from tests.learners.taught import RULES, assert_backprop, batch, learner, mirror, network


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("transfer", ["relu", "saturating", "linear"])
def test_bp_is_the_gradient(shared: bool, transfer: str) -> None:
    assert_backprop(learner("bp", network(RULES["bp"], shared, transfer)))


def test_bp_goes_through_the_scaling_of_inputs() -> None:
    found = network(RULES["bp"], input_rms=0.5)
    found.responses(batch()[0], learning=True)
    assert_backprop(learner("bp", found))


@pytest.mark.parametrize("name", ["fa", "kolen_pollack", "weight_mirror"])
def test_layered_feedback_through_the_transpose_is_backprop(name: str) -> None:
    found = network(RULES[name], shared=False)
    mirror(found)
    assert_backprop(learner(name, found))


@pytest.mark.parametrize("feedback", ["frSF", "brSF"])
def test_feedback_of_the_right_sign_and_magnitude_is_backprop(feedback: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taught = learner("sign_symmetry", feedback=feedback)
    transposes = [taught.pathway._transpose(k).weights.abs() for k in range(3)]
    taught.pathway.magnitudes = transposes
    monkeypatch.setattr(taught.pathway, "begin_batch", lambda: None)
    assert_backprop(taught)


def test_uniform_sign_feedback_knows_signs_alone() -> None:
    taught = learner("sign_symmetry")
    for k, layer in enumerate(taught.network.layers[1:]):
        weights, forward = taught.pathway.weights(k).weights, layer.feedforward.weights.transpose(1, 2)
        assert (weights.sign() == forward.sign()).all()
        assert weights.abs().max() == pytest.approx(float(weights.abs().min()))
        assert float(weights.norm()) == pytest.approx(float(forward.norm()))


def test_fresh_magnitudes_are_drawn_for_each_batch_and_fixed_ones_are_not() -> None:
    for feedback, same in (("frSF", True), ("brSF", False)):
        taught = learner("sign_symmetry", feedback=feedback)
        first, second = (taught.updates(*batch())["layer1.feedforward"] for _ in range(2))
        assert bool((first == second).all()) == same


def test_burstprop_with_small_errors_through_the_transpose_is_backprop() -> None:
    found = network(RULES["burstprop"], shared=False)
    found.output *= 1e-6
    mirror(found)
    taught = learner("burstprop", found)
    leaves, labels = batch()
    updates, downhill = taught.updates(leaves, labels), gradients(found, leaves, labels)
    for k in (1, 2, 3):
        name = f"layer{k}.feedforward"
        torch.testing.assert_close(
            updates[name], -downhill[name], rtol=1e-3, atol=1e-3 * float(downhill[name].abs().max())
        )


def test_burstprop_is_the_mean_of_events_and_bursts() -> None:
    """A synapse gains at each burst after a presynaptic event, and loses half as much at each event."""
    draw = np.random.default_rng(0)
    rate, slope, teaching, pre = 3.0, 1.0, 0.4, 2.0
    probability = 1 / (1 + np.exp(4 * teaching * slope / rate))
    events = draw.poisson(rate, 400_000)
    bursts = draw.binomial(events, probability)
    measured = ((bursts - 0.5 * events) * draw.poisson(pre, 400_000)).mean()
    text = RULES["burstprop"].feedforward.texts()
    cells = {"activity_post": rate, "derivative_post": slope, "error_post": teaching, "silent": 1e-6}
    functions = {"exp": np.exp, "clip": np.clip}
    expected = text["post"](cells, functions) * text["third"](cells, functions) * pre
    assert measured == pytest.approx(expected, rel=0.03)


def test_masks_left_out_make_the_way_linear() -> None:
    """Without masks on the way, layer by layer is the same as straight through the product of the weights."""
    layered = learner("bp", masks="removed").updates(*batch())
    straight = learner("dfa", network(RULES["bp"]), feedback="product").updates(*batch())
    for name, update in layered.items():
        torch.testing.assert_close(update, straight[name], rtol=1e-10, atol=1e-14)


# A cell that saturates has slopes between 0 and 1: it matters how often an error meets them.
@pytest.mark.parametrize("transfer", ["relu", "saturating"])
def test_the_product_given_its_masks_is_backprop(transfer: str) -> None:
    assert_backprop(learner("dfa", network(RULES["bp"], transfer=transfer), feedback="product", masks="true"))


@pytest.mark.parametrize("transfer", ["relu", "saturating"])
def test_direct_feedback_given_masks_goes_its_own_way_to_each_layer(transfer: str) -> None:
    taught = learner("dfa", network(RULES["dfa"], transfer=transfer), masks="true")
    assert len(taught.pathway.chains) == 3 + 2 + 1
    for k, level in taught.pathway.chains:
        taught.pathway.chains[k, level] = taught.pathway._transpose(level)
    assert_backprop(taught)


def test_shuffled_masks_are_those_of_another_sample() -> None:
    leaves, labels = batch()
    alike = leaves[:1].expand_as(leaves)
    shuffled, true = learner("bp", masks="shuffled"), learner("bp")
    torch.testing.assert_close(shuffled.updates(alike, labels), true.updates(alike, labels))
    cosines = update_cosines(shuffled, leaves, labels)
    assert cosines[2] == pytest.approx(1)
    assert cosines[0] < 0.99


def test_without_any_mask_silent_cells_learn() -> None:
    found = network(RULES["bp"])
    found.layers[2].bias -= 100.0
    leaves, labels = batch()
    assert learner("bp", found, masks="removed").updates(leaves, labels)["layer3.feedforward"].abs().max() == 0
    assert learner("bp", found, masks="none").updates(leaves, labels)["layer3.feedforward"].abs().max() > 0


@pytest.mark.parametrize(
    ("name", "changes", "complaint"),
    [
        ("clapp", {"masks": "true"}, "uses no error"),
        ("dfa", {"feedback": "transpose"}, "whose route is direct \\('random' or 'product'\\)"),
        ("fa", {"feedback": "product"}, "whose route is layered"),
        ("kolen_pollack", {"feedback": "transpose"}, "learns its feedback weights"),
        ("gevb", {"masks": "true"}, "gives each cell its component"),
        ("predictive_coding", {"masks": "removed"}, "masks of its own"),
    ],
)
def test_what_no_path_can_be_is_refused(name: str, changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        learner(name, **changes)


def test_predictions_that_stay_settle_to_backprop() -> None:
    rule = RULES["predictive_coding"].with_constants({"fixed": 1, "rate": 1, "steps": 3, "precision": 1}, {})
    assert_backprop(Feedback(network(rule, shared=False), rule, Optimization()))
    slow = RULES["predictive_coding"].with_constants({"fixed": 1, "rate": 0.3, "steps": 100, "precision": 1}, {})
    assert_backprop(Feedback(network(slow), slow, Optimization()))


def energy(found: Network, leaves: Tensor, labels: Tensor, values: list[Tensor]) -> Tensor:
    """What predictive coding descends: squared errors of prediction, and half the cross-entropy of the output."""
    below, total = leaves, 0.5 * cross_entropy(found.classify(values[-1]), labels, reduction="sum")
    for layer, value in zip(found.layers, values, strict=True):
        total = total + (value - layer(below)).square().sum() / 2
        below = value
    return total


@pytest.mark.parametrize(("transfer", "steps"), [("linear", 3000), ("relu", 20)])
def test_predictive_coding_settles_where_its_energy_is_least(transfer: str, steps: int) -> None:
    rule = RULES["predictive_coding"].with_constants({"rate": 0.1, "steps": steps, "precision": 0.5}, {})
    found, (leaves, labels) = network(rule, transfer=transfer), batch()
    taught, before = Feedback(found, rule, Optimization()), found.responses(leaves)
    target = one_hot(labels, 4).double()
    pull = clamp_output(target, found, taught.pathway, 0.5)
    responses, errors = settle(found, taught.pathway, before, pull, taught.path.constants)
    values = [response.activity.clone().requires_grad_() for response in responses]
    least = energy(found, leaves, labels, values)
    assert least < 0.9 * energy(found, leaves, labels, [response.activity for response in before])
    assert all(error.abs().max() > 1e-3 for error in errors)
    if transfer == "linear":  # A rectified cell may rest at its kink, where there is no slope.
        assert max(slope.abs().max() for slope in torch.autograd.grad(least, values)) < 1e-6


def test_dkp_feedback_of_the_top_layer_follows_the_output_weights() -> None:
    """What fixes the sign: the feedback synapse changes as the output synapse between the same two cells."""
    updates = learner("dkp").updates(*batch())
    torch.testing.assert_close(updates["layer3.feedback"][0], updates["output"].T, rtol=1e-12, atol=0)


def test_drtp_receives_the_label_and_no_error() -> None:
    taught = learner("drtp", network(RULES["drtp"], shared=False))
    leaves, labels = batch()
    updates, response = taught.updates(leaves, labels), taught.network.responses(leaves)[0]
    feedback = taught.network.layers[0].feedback
    assert feedback is not None
    brought = feedback.weights[:, :, labels].permute(2, 0, 1)  # (batch, positions, cells)
    change = brought * (response.drive > 0)
    expected = torch.einsum("bpc,bpi->pci", change, response.pre) / len(leaves)
    torch.testing.assert_close(updates["layer1.feedforward"], expected)
