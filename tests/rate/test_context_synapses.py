import pytest
import torch

from cortexsim.learners import Local
from cortexsim.rate import Architecture, Network, Optimization, Plasticity, Synapses, gather_other_tops
from cortexsim.rules import known_rules
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.topology import convolution, stacked
from tests.nets import build

CELLS = 5


def network(context: str, size: int = 2, shared: bool = True, sends: str = "prediction") -> Network:
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=3, tuple_size=size)
    architecture = Architecture(cells=CELLS, shared=shared, sends=sends, transfer="linear")
    context_of = (context, context.replace("+top", ""), "none")
    return build(architecture, hierarchy, 0, dtype=torch.float64, context=context_of, context_synapses="random")


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(
    "context",
    ["sibling", "cousin", "fixation", "sibling+cousin", "sibling+label", "synonym", "sibling+synonym", "synonym+label"],
)
def test_a_prediction_is_what_a_column_brings_to_the_dendrites_that_receive_it(
    context: str, size: int, shared: bool
) -> None:
    layer = network(context, size, shared).layers[0]
    assert layer.context is not None
    activity = torch.rand(2, layer.positions, CELLS, dtype=torch.float64)
    labels = {"label": torch.zeros(2, 1, 4, dtype=torch.float64)}
    sent = layer.send(activity)
    for position in range(layer.positions):
        alone = torch.zeros_like(activity)
        alone[:, position] = activity[:, position]
        brought = layer.context(layer.gather_context(alone, labels, view=alone))
        torch.testing.assert_close(sent[:, position], brought.sum(1))


def test_what_is_sent_is_a_rate() -> None:
    layer = network("sibling").layers[0]
    activity = torch.rand(2, layer.positions, CELLS, dtype=torch.float64)
    brought = layer.send(activity)
    layer.transfer = "relu"
    assert (brought < 0).any()
    assert torch.equal(layer.send(activity), brought.clamp(min=0))


def test_a_layer_that_nobody_receives_sends_its_activity() -> None:
    top = network("sibling").layers[-1]
    activity = torch.rand(2, 1, CELLS, dtype=torch.float64)
    assert top.send(activity) is activity


def test_the_layer_above_sees_predictions() -> None:
    built = network("sibling")
    leaves = torch.rand(3, 8, 4, dtype=torch.float64)
    below = built.activities(leaves)[0]
    first = built.layers[0]
    torch.testing.assert_close(below, first.send(first.respond(leaves).activity))
    torch.testing.assert_close(built.activities(leaves)[1], built.layers[1](below))


def test_what_cousins_do_not_reach_is_left_out() -> None:
    second = network("sibling+cousin").layers[1]
    assert second.context_index.tolist() == [[1], [0]]
    assert network("cousin").layers[1].context is None


def test_a_column_receives_the_tops_that_are_not_above_it() -> None:
    """Six columns under three tops: each pair of an ancestor and another top has synapses of its own."""
    top = torch.rand(2, 3, CELLS)
    context_activity = gather_other_tops(top, 6).unflatten(2, (3, 2, CELLS))
    for position, (own, others) in enumerate([(0, [1, 2])] * 2 + [(1, [0, 2])] * 2 + [(2, [0, 1])] * 2):
        assert torch.equal(context_activity[:, position, own], top[:, others])
        assert context_activity[:, position].count_nonzero() == 2 * 2 * CELLS


@pytest.mark.parametrize("context", ["sibling+label", "sibling+top", "label"])
def test_dendrites_receive_labels_and_the_top(context: str) -> None:
    """The update of a step is that of the context written out."""
    rule = known_rules()["clapp"]
    learners = [Local(network(context, sends="activity"), rule, Optimization("sgd", 0.1), "simultaneous") for _ in "ab"]
    leaves = torch.rand(6, 8, 4, dtype=torch.float64)
    labels = torch.arange(6) % 4
    learners[0].step(0, leaves, labels, 0.0)

    plain = learners[1].network
    responses = plain.responses(leaves)
    written = {
        "label": torch.eye(4, dtype=torch.float64)[labels].unsqueeze(1).expand(-1, 4, -1),
        "top": gather_other_tops(responses[1].activity, 4),
        "sibling": responses[0].activity[:, [1, 0, 3, 2]],
    }
    context_activity = torch.cat([written[name] for name in context.split("+")], 2)
    updates = Plasticity(rule).updates(plain.layers[0], responses[0], context_activity)
    assert updates["context"].abs().max() > 0
    for name, update in updates.items():
        expected = plain.layers[0].state()[name] + 0.1 * update
        torch.testing.assert_close(learners[0].network.layers[0].state()[name], expected)
    assert learners[0].uses_labels == ("label" in context)


def test_shared_predictions_are_what_a_column_brings_on_average_over_those_that_share() -> None:
    """At an edge, a neighbour on the other side is a context twice, unlike that of columns elsewhere."""
    layers = tuple(convolution((count,), size, size) for count, size in ((9, 1), (9, 3), (3, 3)))
    architecture = Architecture(cells=CELLS, sends="prediction", transfer="linear")
    wired, synapses = stacked((9,), 1, layers), Synapses(("sibling+neighbour", "none", "none"), "random")
    built = Network.build(architecture, wired, 2, 0, synapses, dtype=torch.float64)
    layer = built.layers[0]
    assert layer.context is not None
    one = torch.rand(2, 1, CELLS, dtype=torch.float64)
    brought = []
    for position in range(9):
        alone = torch.zeros(2, 9, CELLS, dtype=torch.float64)
        alone[:, position] = one[:, 0]
        brought.append(layer.context(layer.gather_context(alone)).sum(1))
    expected = torch.stack(brought, 1).unflatten(1, (3, 3)).mean(1)
    torch.testing.assert_close(layer.send(one.expand(-1, 9, -1))[:, :3], expected)
