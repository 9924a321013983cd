"""The cells that a weight connects are those between which it passes a signal."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cortexsim import topology
from cortexsim.rate import Architecture, Layer, Network, Synapses, synapse_ends, weights_of_layers
from cortexsim.topology import Topology

TREE = topology.tree(depth=2, size=2, channels=3)
PADDED = topology.stacked((4, 4), 3, (topology.convolution((4, 4), size=3, stride=1, padding=1),))
DOUBLE = torch.float64


def built(chosen: Topology, shared: bool, context: str) -> Network:
    contexts = (context, *("none",) * (chosen.depth - 1))
    synapses = Synapses(context=contexts, context_synapses="random")
    return Network.build(Architecture(cells=4, shared=shared), chosen, 3, 0, synapses, dtype=DOUBLE)


def effects(layer: Layer, kind: str, below: Tensor) -> np.ndarray:
    """How much the drive of every cell, or that of its dendrite, changes with every cell before it, (post, pre)."""
    if kind == "context":
        silent = torch.zeros(1, layer.positions, layer.cells, dtype=DOUBLE)
        found = torch.func.jacrev(lambda values: layer.dendritic_input(layer.gather_context(values)))(silent)
    else:
        found = torch.func.jacrev(lambda values: layer.feedforward(layer.gather(values)))(below)
    return found.reshape(layer.positions * layer.cells, -1).numpy()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("chosen", "context"),
    [(TREE, "sibling"), (PADDED, "neighbour"), (PADDED, "offset(1,0)|offset(2,0)")],
    ids=["tree", "padded", "two dendrites"],
)
def test_a_weight_is_the_effect_of_one_cell_on_the_other(chosen: Topology, context: str, shared: bool) -> None:
    network = built(chosen, shared, context)
    found = weights_of_layers(network, chosen.depth)
    assert list(found)[:2] == ["layer1.feedforward", "layer1.context"]
    assert ("layer1.dendrite2.context" in found) == ("|" in context)
    assert found.keys() <= network.state().keys()
    for name, (layer, kind) in found.items():
        below = torch.zeros(1, *((16, 3) if chosen is PADDED else (4, 3) if name.startswith("layer1") else (2, 4)))
        weights = network.state()[name].numpy().ravel()
        place, pre, post = synapse_ends(layer, kind, np.arange(weights.size))
        seen = pre >= 0
        assert (~seen).any() == (chosen is PADDED and not shared and kind == "feedforward")
        effect = effects(layer, kind, below.double())
        summed = np.zeros_like(effect)  # At an edge, a column has two synapses from each cell of one neighbour.
        np.add.at(summed, (post[seen], pre[seen]), weights[place][seen])
        np.testing.assert_allclose(effect[post, pre][seen], summed[post, pre][seen], rtol=1e-12)
        assert weights.any()


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("sibling+label", [[4, 5, 6, 7, 8, 9, 10], [0, 1, 2, 3, 8, 9, 10]]),
        ("label", [[8, 9, 10], [8, 9, 10]]),
        ("view", [[8, 9, 10, 11], [12, 13, 14, 15]]),
    ],
)
def test_cells_elsewhere_count_on_from_those_of_the_layer(context: str, expected: list[list[int]]) -> None:
    layer = built(TREE, False, context).layers[0]
    assert layer.context is not None
    ends = synapse_ends(layer, "context", np.arange(layer.context.weights.numel()))
    shape = 2, 4, len(expected[0])
    assert (ends.pre.reshape(shape) == np.array(expected)[:, None]).all()
    assert (ends.post.reshape(shape) == np.arange(8).reshape(2, 4, 1)).all()


def test_columns_with_a_projection_have_its_weights_too() -> None:
    network = Network.build(Architecture(cells=4, shared=False, projection=3), TREE, 3, 0)
    found = weights_of_layers(network, 1)
    assert list(found) == ["layer1.feedforward", "layer1.projection.feedforward"]
    pre, post = synapse_ends(*found["layer1.projection.feedforward"], np.array([0, 5, 12 + 11]))[1:]
    assert (pre.tolist(), post.tolist()) == ([0, 1, 7], [0, 1, 5])
