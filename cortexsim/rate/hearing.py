"""What the dendrites of a layer hear, and by how many synapses."""

from collections.abc import Sequence

import numpy as np
import torch

from cortexsim.hierarchy import Hierarchy, contexts
from cortexsim.rate.layer import Layer
from cortexsim.rate.projection import Projection


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
    sizes = {"label": hierarchy.classes, "top": cells * hierarchy.positions(highest(all_contexts))}
    width = cells * layer.heard.shape[1] + sum(sizes[name] for name in layer.outside)
    if width and not one_to_one:
        span = max((contexts.SPANS[name] for name in near), default=0)
        apart = min(layer.positions, hierarchy.tuple_size**span) if copies == 1 else layer.positions
        layer.context = Projection(layer.bias.new_zeros(apart, cells, width))


def highest(all_contexts: Sequence[str]) -> int:
    """Find the highest level, counted from 1, whose dendrites hear anything."""
    levels = [level for level, context in enumerate(all_contexts, 1) if contexts.named(context)]
    return max(levels, default=len(all_contexts))
