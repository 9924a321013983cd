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
@pytest.mark.parametrize(("chosen", "context"), [(TREE, "sibling"), (PADDED, "neighbour")], ids=["tree", "padded"])
def test_a_weight_is_the_effect_of_one_cell_on_the_other(chosen: Topology, context: str, shared: bool) -> None:
    network = built(chosen, shared, context)
    found = weights_of_layers(network, chosen.depth)
    assert list(found)[:2] == ["layer1.feedforward", "layer1.context"]
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


def test_cells_of_a_label_count_on_from_those_of_the_layer() -> None:
    network = built(topology.tree(depth=2, size=2, channels=3), False, "sibling+label")
    layer = network.layers[0]
    assert layer.context is not None
    pre = synapse_ends(layer, "context", np.arange(layer.context.weights.numel())).pre.reshape(2, 4, 7)
    assert (pre == [[[4, 5, 6, 7, 8, 9, 10]], [[0, 1, 2, 3, 8, 9, 10]]]).all()
