"""The ends of synapses: which two cells every feedforward and context weight of a network connects."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cortexsim.rate.layer import Layer
from cortexsim.rate.network import Network

FEEDFORWARD, CONTEXT = "feedforward", "context"


class SynapseEnds(NamedTuple):
    """Synapses of one weight tensor, by the cells that they connect.

    A weight that columns share stands for the synapse of the first column that has it.

    Attributes:
        place: index of the weight in the flattened tensor, (synapses,).
        pre: presynaptic cell, (synapses,): of the layer below or the input; of context weights, of the layer itself.
            Cells are numbered column by column, from 0; those of a second view, and then those of contexts outside of
            the layer, count on from the last of the layer. -1 is beyond the edge of a picture, where nothing is.
        post: postsynaptic cell, (synapses,). Where blocks of columns share their dendrites, both cells are numbered as
            those of the blocks.
    """

    place: np.ndarray
    pre: np.ndarray
    post: np.ndarray


def weights_of_layers(network: Network, layers: int) -> Mapping[str, tuple[Layer, str]]:
    """Find the feedforward and context weights of the lowest layers, and of their projections and further dendrites.

    >>> from cortexsim.rate import Architecture, Synapses
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(context=("sibling", "none"))
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> list(weights_of_layers(network, 2))
    ['layer1.feedforward', 'layer1.context', 'layer2.feedforward']

    Args:
        network: the network.
        layers: how many, from below.

    Returns:
        By the names of ``network.state()``, the layer whose weights they are, with the dendrite as its only one, and
        their kind: ``feedforward`` or ``context``.
    """
    found: dict[str, tuple[Layer, str]] = {}
    for k, layer in enumerate(network.layers[:layers], 1):
        for name, cells in ((f"layer{k}", layer), (f"layer{k}.projection", layer.projection)):
            if cells is None:
                continue
            found[f"{name}.{FEEDFORWARD}"] = cells, FEEDFORWARD
            for number, each in enumerate(cells.each_dendrite, 1):
                if each.context is not None:
                    dendrite = "" if number == 1 else f"dendrite{number}."
                    found[f"{name}.{dendrite}{CONTEXT}"] = each, CONTEXT
    return found


def synapse_ends(layer: Layer, kind: str, place: np.ndarray) -> SynapseEnds:
    """Find the cells that synapses connect.

    >>> from cortexsim.rate import Architecture
    >>> from cortexsim.topology import tree
    >>> network = Network.build(Architecture(cells=16), tree(depth=1, size=2, channels=8), classes=4, seed=0)
    >>> ends = synapse_ends(network.layers[0], "feedforward", np.array([0, 20]))  # Of weights (1, 16 cells, 16 inputs).
    >>> ends.pre.tolist(), ends.post.tolist()
    ([0, 4], [0, 1])

    Args:
        layer: whose weights they are.
        kind: ``feedforward`` or ``context``.
        place: indices of weights in the flattened tensor, (synapses,).
    """
    projection = layer.feedforward if kind == FEEDFORWARD else layer.context
    assert projection is not None
    groups, cells, _ = projection.weights.shape
    group, cell, entry = np.unravel_index(place, tuple(projection.weights.shape))
    if kind == CONTEXT and layer.places is not None:
        return SynapseEnds(place, entry, cell)
    table, width, silent = _sources(layer, kind)
    count = table.shape[1]
    slot = np.minimum(entry // width, count)  # The last stands for contexts outside of the layer.
    column = _first_columns(table, groups, silent)[group, slot]
    source = np.pad(table, ((0, 0), (0, 1)))[column, slot]
    beyond = layer.positions * width * (2 if layer.uses_second_view else 1) + entry - count * width
    pre = np.where(slot < count, source * width + entry % width, beyond)
    return SynapseEnds(place, np.where((slot < count) & (source == silent), -1, pre), column * cells + cell)


def _sources(layer: Layer, kind: str) -> tuple[np.ndarray, int, int]:
    """Return presynaptic positions, (positions, n), the cells of each, and the position beyond the edge, -1 without."""
    if kind == CONTEXT:
        return layer.context_index.cpu().numpy(), layer.cells, -1
    pre = layer.feedforward.weights.shape[2]
    if layer.fields is None:
        return np.arange(layer.positions)[:, None], pre, -1
    fields = layer.fields.cpu().numpy()
    return fields, pre // fields.shape[1], int(fields.max()) if layer.padded else -1


def _first_columns(table: np.ndarray, groups: int, silent: int) -> np.ndarray:
    """Find, for each weight group and source, the first column that has this source, (groups, n + 1).

    Column p has the weights of group p modulo groups; the last entry is the first column of the group.
    """
    there = table.reshape(len(table) // groups, groups, table.shape[1]) != silent
    first = there.argmax(0) * groups + np.arange(groups)[:, None]
    return np.concatenate([first, np.arange(groups)[:, None]], 1)
