"""Every rule that is taught by an error, against backpropagation or its own paper's definition."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from cortexsim.analysis.alignment import feedback_angles, gradients, input_shares, update_cosines
from cortexsim.errors import UserError
from cortexsim.hierarchy import Hierarchy
from cortexsim.learners import Budget, Feedback, train
from cortexsim.rate import Architecture, Network, Optimization, Projection, VectorNetwork, held_at, settle
from cortexsim.rules import Rule, known_rules

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)
RULES = known_rules()


def network(rule: Rule, shared: bool = True, transfer: str = "relu", input_rms: float | None = None) -> Network:
    architecture = Architecture(cells=6, shared=shared, transfer=transfer, input_rms=input_rms)
    route = "direct" if rule.path is not None and rule.path.route == "direct" else "layered"
    return Network.build(architecture, HIERARCHY, 0, dtype=torch.float64, feedback=route)


def batch(count: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    leaves = torch.rand(count, HIERARCHY.leaves, 4, generator=generator, dtype=torch.float64)
    return leaves, torch.randint(4, (count,), generator=generator)


def mirror(found: Network) -> None:
    """Give every layer, as feedback weights, the transpose of the weights above it."""
    above = [layer.feedforward.weights.transpose(1, 2) for layer in found.layers[1:]]
    for layer, transpose in zip(found.layers, [*above, found.output.T.unsqueeze(0)], strict=True):
        layer.feedback = Projection(transpose.clone())


def learner(name: str, found: Network | None = None, **changes: str) -> Feedback:
    rule = RULES[name].taught_by(changes.get("feedback"), changes.get("masks"))  # type: ignore[arg-type]
    return Feedback(found or network(rule), rule, Optimization())


def assert_backprop(taught: Feedback, rtol: float = 1e-9) -> None:
    """Hold the updates of all weights to the gradient; an update averages over columns that share weights."""
    leaves, labels = batch()
    updates = taught.updates(leaves, labels)
    for name, gradient in gradients(taught.network, leaves, labels).items():
        layer = None if name.startswith("output") else taught.network.layers[int(name[5]) - 1]
        columns = 1 if layer is None else layer.positions // layer.feedforward.copies
        torch.testing.assert_close(updates[name] * columns, -gradient, rtol=rtol, atol=1e-12)


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
    transposes = [taught.descent._transpose(k).weights.abs() for k in range(3)]
    taught.descent.magnitudes = transposes
    monkeypatch.setattr(taught.descent, "begin", lambda: None)
    assert_backprop(taught)


def test_uniform_sign_feedback_knows_signs_alone() -> None:
    taught = learner("sign_symmetry")
    for k, layer in enumerate(taught.network.layers[1:]):
        weights, forward = taught.descent.weights(k).weights, layer.feedforward.weights.transpose(1, 2)
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
    cells = {"activity_post": rate, "derivative_post": slope, "teaching_post": teaching, "silent": 1e-6}
    functions = {"exp": np.exp, "clip": np.clip}
    expected = text["post"](cells, functions) * text["third"](cells, functions) * pre
    assert measured == pytest.approx(expected, rel=0.03)


def test_masks_left_out_make_the_way_linear() -> None:
    """Without masks on the way, layer by layer is the same as straight through the product of the weights."""
    layered = learner("bp", masks="removed").updates(*batch())
    straight = learner("dfa", network(RULES["bp"]), feedback="product").updates(*batch())
    for name, update in layered.items():
        torch.testing.assert_close(update, straight[name], rtol=1e-10, atol=1e-14)


def test_the_product_given_its_masks_is_backprop() -> None:
    assert_backprop(learner("dfa", network(RULES["bp"]), feedback="product", masks="true"))


def test_direct_feedback_given_masks_goes_its_own_way_to_each_layer() -> None:
    taught = learner("dfa", masks="true")
    assert len(taught.descent.chains) == 3 + 2 + 1
    for k, level in taught.descent.chains:
        taught.descent.chains[k, level] = taught.descent._transpose(level)
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
        ("clapp", {"masks": "true"}, "taught by no error"),
        ("dfa", {"feedback": "transpose"}, "whose route is direct \\('random' or 'product'\\)"),
        ("fa", {"feedback": "product"}, "whose route is layered"),
        ("kolen_pollack", {"feedback": "transpose"}, "learns its feedback weights"),
        ("gevb", {"masks": "true"}, "brings each cell its component"),
        ("predictive_coding", {"masks": "removed"}, "masks of its own"),
    ],
)
def test_what_no_path_can_be_is_refused(name: str, changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        learner(name, **changes)


def test_predictions_that_stay_settle_to_backprop() -> None:
    rule = RULES["predictive_coding"].tuned({"fixed": 1, "rate": 1, "steps": 3, "precision": 1}, {})
    assert_backprop(Feedback(network(rule, shared=False), rule, Optimization()))
    slow = RULES["predictive_coding"].tuned({"fixed": 1, "rate": 0.3, "steps": 100, "precision": 1}, {})
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
    rule = RULES["predictive_coding"].tuned({"rate": 0.1, "steps": steps, "precision": 0.5}, {})
    found, (leaves, labels) = network(rule, transfer=transfer), batch()
    taught, before = Feedback(found, rule, Optimization()), found.responses(leaves)
    target = one_hot(labels, 4).double()
    pull = held_at(target, found, taught.descent, 0.5)
    responses, errors = settle(found, taught.descent, before, pull, taught.path.constants)
    values = [response.activity.clone().requires_grad_() for response in responses]
    least = energy(found, leaves, labels, values)
    assert least < 0.9 * energy(found, leaves, labels, [response.activity for response in before])
    assert all(error.abs().max() > 1e-3 for error in errors)
    if transfer == "linear":  # A rectified cell may rest at its kink, where there is no slope.
        assert max(slope.abs().max() for slope in torch.autograd.grad(least, values)) < 1e-6


def test_gevb_has_the_sign_of_the_gradient_for_every_synapse_and_sample() -> None:
    rule, hierarchy = RULES["gevb"], Hierarchy(features=2, multiplicity=2, depth=2, classes=2)
    found = VectorNetwork.build(Architecture(cells=4), hierarchy, 1, dtype=torch.float64)
    taught = Feedback(found, rule, Optimization())
    checked = 0
    for symbols in product(range(2), repeat=hierarchy.leaves):
        leaves = one_hot(torch.tensor([symbols]), 2).double()
        for label in range(2):
            labels = torch.tensor([label])
            updates, downhill = taught.updates(leaves, labels), gradients(found, leaves, labels)
            for name, gradient in downhill.items():
                told = gradient != 0
                assert (updates[name][told].sign() == -gradient[told].sign()).all(), name
                checked += int(told.sum())
    assert checked > 500


def test_vector_cells_keep_their_weights_at_zero_or_more() -> None:
    found = VectorNetwork.build(Architecture(cells=4), HIERARCHY, 0, dtype=torch.float64)
    taught = Feedback(found, RULES["gevb"], Optimization(eta=0.3))
    for _ in range(5):
        taught.step(0, *batch(), progress=0.0)
    assert found.layers[0].feedforward.weights.min() < 0
    for weights in (found.layers[1].feedforward.weights, found.layers[2].feedforward.weights, found.output):
        assert weights.min() == 0 < weights.max()


def test_vector_layers_gate_all_components_together() -> None:
    found = VectorNetwork.build(Architecture(cells=4), HIERARCHY, 0, dtype=torch.float64)
    for activity in found.activities(batch()[0]):
        vectors = activity.unflatten(2, (4, 4))
        silent = (vectors == 0).all(3)
        assert ((vectors != 0).any(3) == ~silent).all()
        assert 0.2 < silent.double().mean() < 0.8


def test_dkp_feedback_of_the_top_layer_follows_the_output_weights() -> None:
    """What fixes the sign: the feedback synapse changes as the output synapse between the same two cells."""
    updates = learner("dkp").updates(*batch())
    torch.testing.assert_close(updates["layer3.feedback"][0], updates["output"].T, rtol=1e-12, atol=0)


def test_drtp_hears_the_label_and_no_error() -> None:
    taught = learner("drtp", network(RULES["drtp"], shared=False))
    leaves, labels = batch()
    updates, response = taught.updates(leaves, labels), taught.network.responses(leaves)[0]
    feedback = taught.network.layers[0].feedback
    assert feedback is not None
    brought = feedback.weights[:, :, labels].permute(2, 0, 1)  # (batch, positions, cells)
    change = brought * (response.drive > 0)
    expected = torch.einsum("bpc,bpi->pci", change, response.pre) / len(leaves)
    torch.testing.assert_close(updates["layer1.feedforward"], expected)


def trained(name: str, **changes: float) -> Network:
    """Train a toy for a while."""
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=2)
    rule = RULES[name]
    found = Network.build(Architecture(cells=16), hierarchy, 0, feedback="layered")
    settings = replace(Optimization(eta=0.01, weight_decay=1.0), **changes)
    generator = torch.Generator().manual_seed(0)
    leaves = one_hot(torch.randint(4, (256, hierarchy.leaves), generator=generator), 4).float()
    labels = leaves[:, :2].sum(1).argmax(1)
    train(Feedback(found, rule, settings), leaves, labels, Budget(epochs=60, batch=16), seed=0)
    return found


@pytest.mark.parametrize("name", ["kolen_pollack", "weight_mirror"])
def test_feedback_weights_come_to_mirror_the_forward_weights(name: str) -> None:
    before = feedback_angles(Network.build(Architecture(cells=16), HIERARCHY, 0, feedback="layered"))
    assert min(before) > 60
    assert max(feedback_angles(trained(name))) < 20


def test_fixed_feedback_weights_stay() -> None:
    assert max(feedback_angles(trained("fa"))) > 40


def test_alignment_tells_the_rules_apart() -> None:
    leaves, labels = batch(64)
    assert update_cosines(learner("bp"), leaves, labels) == pytest.approx([1, 1, 1])
    assert update_cosines(learner("fa"), leaves, labels)[0] < 0.5


def test_masks_alone_make_feedback_depend_on_the_input() -> None:
    leaves, labels = batch(64)
    shares = {name: input_shares(learner(name), leaves, labels) for name in ("dfa", "dkp", "bp", "fa")}
    assert shares["dfa"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert shares["dkp"] == pytest.approx([0, 0, 0], abs=1e-12)
    for name in ("bp", "fa"):
        found = shares[name]
        assert found is not None
        assert found[2] == pytest.approx(0, abs=1e-12)  # The top layer has no layer above to be masked by.
        assert 0.05 < found[1] < found[0] < 1
    assert input_shares(learner("bp", masks="removed"), leaves, labels) == pytest.approx([0, 0, 0], abs=1e-12)
    assert input_shares(learner("predictive_coding"), leaves, labels) is None
