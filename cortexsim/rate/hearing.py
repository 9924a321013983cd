"""What the dendrites of a layer hear, and by how many synapses."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from cortexsim import contexts
from cortexsim.rate.layer import Layer
from cortexsim.rate.projection import Projection
from cortexsim.tasks.rhm import Hierarchy


def hear(layer: Layer, context: str, hierarchy: Hierarchy, all_contexts: Sequence[str], one_to_one: bool) -> None:
    """Give a layer silent synapses from a context such as ``sibling+label``; none where the tree has no such patches.

    Where weights are shared, each place in the part of the tree that is heard has its own: siblings differ.

    Args:
        layer: which layer.
        context: what it hears.
        hierarchy: its tree.
        all_contexts: of all layers, from below: ``top`` is the highest that hears anything.
        one_to_one: whether synapses come from namesakes alone, and have no weights.
    """
    sources, (copies, cells) = contexts.named(context), layer.bias.shape
    if not sources:
        return
    near = [name for name in sources if name in contexts.SPANS]
    places = [contexts.heard(name, layer.positions, hierarchy.tuple_size) for name in near]
    nobody = np.empty((layer.positions, 0), dtype=np.intp)
    layer.heard = torch.from_numpy(np.concatenate([nobody, *places], 1)).to(layer.bias.device)
    layer.outside = tuple(name for name in sources if name not in contexts.SPANS)
    tops = hierarchy.positions(highest(all_contexts))
    sizes = {"label": hierarchy.classes, "top": cells * tops * (tops - 1)}
    width = cells * layer.heard.shape[1] + sum(sizes[name] for name in layer.outside)
    if width and not one_to_one:
        span = max((contexts.SPANS[name] for name in near), default=0)
        apart = min(layer.positions, hierarchy.tuple_size**span) if copies == 1 else layer.positions
        layer.context = Projection(layer.bias.new_zeros(apart, cells, width))


def bring_back(layer: Layer, values: Tensor) -> Tensor:
    """Bring values of cells back to those of the layer that they hear, through the same context synapses.

    Args:
        layer: which layer; a second view of the sample hears nothing back.
        values: (batch, positions, cells).

    Returns:
        Sums over all that hear a cell, (batch, positions, cells).
    """
    assert layer.context is not None
    count, cells, sources = layer.heard.shape[1], values.shape[2], layer.heard.flatten()
    back = Projection(layer.context.weights[:, :, : count * cells].transpose(1, 2))(values)
    here = sources < layer.positions
    each = back.unflatten(2, (count, cells)).flatten(1, 2)  # In the order of their sources.
    return torch.zeros_like(values).index_add(1, sources[here], each[:, here])


def highest(all_contexts: Sequence[str]) -> int:
    """Find the highest level, counted from 1, whose dendrites hear anything."""
    levels = [level for level, context in enumerate(all_contexts, 1) if contexts.named(context)]
    return max(levels, default=len(all_contexts))


def other_tops(top: Tensor, positions: int) -> Tensor:
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
