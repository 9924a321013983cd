from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.config.registry import read_model
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.learners import Budget, Feedback, train
from cortexsim.modulators import Modulator
from cortexsim.rate import Architecture, Network, Optimization
from cortexsim.rules import Rule, ThreeFactor, known_rules
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import run
from tests.nets import build

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)


def network(shared: bool, transfer: str) -> Network:
    architecture = Architecture(cells=6, shared=shared, transfer=transfer)
    return build(architecture, HIERARCHY, 0, dtype=torch.float64, feedback="direct")


def feed_back_the_true_product(network: Network) -> None:
    """Give every column, as feedback weights, the product of all weights between it and the output."""
    product = network.output.unsqueeze(0)  # (columns of the layer above, classes, cells)
    for layer in reversed(network.layers):
        assert layer.feedback is not None
        layer.feedback.weights.copy_(product.transpose(1, 2))
        groups = layer.feedforward.groups
        weights = layer.feedforward.weights[torch.arange(layer.positions) % groups]
        below = product @ weights  # (columns, classes, s cells): one block for each column below.
        blocks = below.unflatten(2, (HIERARCHY.tuple_size, -1)).transpose(1, 2)
        product = blocks.reshape(-1, *blocks.shape[2:])


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    leaves = torch.rand(9, HIERARCHY.leaves, 4, generator=generator, dtype=torch.float64)
    return leaves, torch.randint(4, (9,), generator=generator)


def gradients(network: Network, leaves: Tensor, labels: Tensor) -> dict[str, Tensor]:
    named = network.weights()
    for tensor in named.values():
        tensor.requires_grad_()
    cross_entropy(network.classify(network.activities(leaves)[-1]), labels, reduction="sum").backward()
    return {name: tensor.grad for name, tensor in named.items() if tensor.grad is not None}


@pytest.mark.parametrize("shared", [True, False])
def test_dfa_with_the_true_product_is_backprop_in_a_linear_network(shared: bool) -> None:
    linear, (leaves, labels) = network(shared, "linear"), batch()
    feed_back_the_true_product(linear)
    updates = Feedback(linear, known_rules()["dfa"], Optimization()).updates(leaves, labels)
    for name, gradient in gradients(linear, leaves, labels).items():
        columns = 1 if name.startswith("output") or not shared else linear.layers[int(name[5]) - 1].positions
        torch.testing.assert_close(updates[name] * len(leaves) * columns, -gradient, rtol=1e-10, atol=1e-12)


def test_dfa_is_not_backprop_where_derivatives_mask() -> None:
    """With ReLU cells the true product lacks the masks of the layers above: only the top layers agree."""
    relu, (leaves, labels) = network(False, "relu"), batch()
    feed_back_the_true_product(relu)
    updates = Feedback(relu, known_rules()["dfa"], Optimization()).updates(leaves, labels)
    found = gradients(relu, leaves, labels)
    cosines = [
        -torch.cosine_similarity(
            updates[f"layer{k}.feedforward"].flatten(), found[f"layer{k}.feedforward"].flatten(), dim=0
        ).item()
        for k in (1, 2, 3)
    ]
    assert cosines[2] == pytest.approx(1, abs=1e-9)
    assert cosines[0] < cosines[1] < 0.99


def test_error_feedback_is_fixed_and_differs_from_cell_to_cell() -> None:
    found = network(True, "relu")
    before = [layer.feedback.weights.clone() for layer in found.layers if layer.feedback is not None]
    learner = Feedback(found, known_rules()["dfa"], Optimization(eta=0.1))
    for _ in range(3):
        learner.step(0, *batch(), progress=0.0)
    after = [layer.feedback.weights for layer in found.layers if layer.feedback is not None]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert [len(weights.unique()) for weights in after] == [4 * 6 * 4, 2 * 6 * 4, 6 * 4]


@pytest.mark.parametrize("cells", [4, 6])  # As many as classes, and more.
def test_a_reward_summed_over_classes_is_one_number_for_all(cells: int) -> None:
    reward = Modulator("reward", value="sum(output_all * label_all) - baseline", constants={"baseline": 0.25})
    rule = Rule("mine", "", "", ThreeFactor("derivative_post", "reward_all"), modulators=(reward,))
    architecture = Architecture(cells=cells, shared=False)
    network = build(architecture, HIERARCHY, 0, dtype=torch.float64, feedback="direct")
    leaves, labels = batch()
    answer = torch.softmax(network.classify(network.activities(leaves)[-1]), 1).numpy()
    rewards = answer[np.arange(len(labels)), labels.numpy()] - 0.25
    below = leaves.numpy().reshape(len(leaves), 4, -1)  # The patches of the first layer's columns.
    weights, bias = (values.numpy() for values in (network.layers[0].feedforward.weights, network.layers[0].bias))
    expected = np.zeros_like(weights)
    for b, column in np.ndindex(below.shape[:2]):
        active = weights[column] @ below[b, column] + bias[column] > 0
        expected[column] += rewards[b] * np.outer(active, below[b, column]) / len(leaves)
    learner = Feedback(network, rule, Optimization(method="sgd", eta=0.5))
    updates = learner.updates(leaves, labels)
    np.testing.assert_allclose(updates["layer1.feedforward"].numpy(), expected, rtol=1e-9)
    before = weights.copy()
    train(learner, leaves, labels, Budget(epochs=1, batch=len(leaves)), 0)
    np.testing.assert_allclose(weights, before + 0.5 * expected, rtol=1e-9)


def test_a_whole_model_learns_from_a_reward(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from cortexsim.modulators import Modulator\nfrom cortexsim.rules import Rule, ThreeFactor\n"
        'REWARD = Modulator("reward", value="sum(output_all * label_all)")\n'
        'RULE = Rule("mine", "", "", ThreeFactor("derivative_post", "reward_all"), modulators=(REWARD,))\n'
    )
    text = 'learner = "feedback"\n[rule]\nname = "mine.py"\n[network]\ncells = 4\n[training]\nepochs = 1\n'
    (tmp_path / "mine.toml").write_text(text)
    model, sizes = read_model(tmp_path / "mine.toml"), Hierarchy(features=4, multiplicity=2, depth=2)
    assert not run(Trial(model, sizes, 16, 16, 0, 0))["diverged"]
    (tmp_path / "mine.toml").write_text(text.replace("cells = 4", 'cells = 4\nsubstrate = "spiking"'))
    with pytest.raises(UserError, match="needs a sum over classes, which layers in Brian2 do not have"):
        read_model(tmp_path / "mine.toml")
