"""What the dendrites of a layer hear, and by how many synapses."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cortexsim import contexts
from cortexsim.rate.layer import Layer
from cortexsim.rate.projection import Projection
from cortexsim.topology import Topology


def hear(
    layer: Layer,
    number: int,
    topology: Topology,
    all_contexts: Sequence[str],
    sizes: dict[str, int],
    one_to_one: bool,
) -> None:
    """Give a layer silent synapses from its context, such as ``sibling+label``; none where there is nobody to hear.

    Where weights are shared, columns that hear others in places of their own have synapses of their own: siblings
    differ.

    Args:
        layer: which layer.
        number: of the layer, counted from 1.
        topology: of the network.
        all_contexts: of all layers, from below: ``top`` is the highest that hears anything.
        sizes: cells of what is heard from elsewhere, by its name.
        one_to_one: whether synapses come from namesakes alone, and have no weights.
    """
    context = all_contexts[number - 1]
    if not (sources := contexts.split(context)):
        return
    near = contexts.in_layer(context)
    copies, cells = layer.bias.shape
    layer.context_index = torch.from_numpy(contexts.column_table(context, topology, number)).to(layer.bias.device)
    layer.external_context = tuple(name for name in sources if name not in {found.name for found in near})
    width = cells * layer.context_index.shape[1] + sum(sizes[name] for name in layer.external_context)
    if width and not one_to_one:
        apart = max((found.weight_groups(topology, number) for found in near), default=1)
        layer.context = Projection(layer.bias.new_zeros(apart if copies == 1 else copies, cells, width))


def bring_back(layer: Layer, values: Tensor) -> Tensor:
    """Bring values of cells back to those of the layer that they hear, through the same context synapses.

    Args:
        layer: which layer; a second view of the sample hears nothing back.
        values: (batch, positions, cells).

    Returns:
        Sums over all that hear a cell, (batch, positions, cells).
    """
    assert layer.context is not None
    count, cells, sources = layer.context_index.shape[1], values.shape[2], layer.context_index.flatten()
    back = Projection(layer.context.weights[:, :, : count * cells].transpose(1, 2))(values)
    here = sources < layer.positions
    each = back.unflatten(2, (count, cells)).flatten(1, 2)  # In the order of their sources.
    return torch.zeros_like(values).index_add(1, sources[here], each[:, here])


def highest(all_contexts: Sequence[str]) -> int:
    """Find the highest layer, counted from 1, whose dendrites hear anything."""
    numbers = [number for number, context in enumerate(all_contexts, 1) if contexts.split(context)]
    return max(numbers, default=len(all_contexts))


def gather_other_tops(top: Tensor, positions: int) -> Tensor:
    """Let each column hear the columns of the highest layer but the one above it.

    Those under one ancestor have synapses that are silent for all others: what another part of the tree tells of theirs
    is a relation of its own.

    Args:
        top: activity of the highest layer, (batch, tops, cells).
        positions: columns of the layer that hears, a multiple of the tops.

    Returns:
        (batch, positions, tops (tops - 1) cells).
    """
    batch, tops, cells = top.shape
    ancestor = torch.arange(positions) * tops // positions
    others = torch.tensor([[other for other in range(tops) if other != own] for own in range(tops)])
    heard = top.new_zeros(batch, positions, tops, tops - 1, cells)
    heard[:, torch.arange(positions), ancestor] = top[:, others[ancestor]]
    return heard.flatten(2)
