"""Context synapses: from the context of a layer onto its dendrites."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from cortexsim import contexts
from cortexsim.rate.layer import Layer
from cortexsim.rate.projection import Projection
from cortexsim.rate.weights import normal_weights, uniform_weights
from cortexsim.topology import Table, Topology

ContextSynapses = Literal["silent", "random", "uniform", "one_to_one"]


@dataclass(frozen=True)
class ContextWiring:
    """The context of one layer of a network.

    Attributes:
        columns: of the layer, which each column has as its context, (positions, n).
        external: names of further sources.
        shape: of the context weights, (groups, cells, context cells); None without such synapses.
        places: columns with the same parent have context weights of their own: how many there are.
    """

    columns: Table
    external: tuple[str, ...]
    shape: tuple[int, int, int] | None
    places: int = 1

    @classmethod
    def of(
        cls, context: str, topology: Topology, number: int, groups: int, cells: int, sizes: Mapping[str, int]
    ) -> "ContextWiring":
        """Work out the context of a layer from its name.

        Where columns share their feedforward weights, they may still need context weights of their own, as siblings do.

        Args:
            context: such as ``"sibling+label"``. Without any, columns are wired to their siblings, without weights.
            topology: of the network.
            number: of the layer, from 1.
            groups: weight groups of its feedforward weights.
            cells: of a column.
            sizes: number of cells of each external source.

        Raises:
            UserError: where an offset has not one step for each axis of the layer.
        """
        names, inside = contexts.split(context), contexts.in_layer(context)
        if (places := topology.layers[number - 1].places) is not None:
            groups, cells = 1, cells * len(places)
        columns = contexts.column_table(context if names else "sibling", topology, number)
        own = {source.name for source in inside}
        external = tuple(name for name in names if name not in own)
        width = cells * columns.shape[1] + sum(sizes[name] for name in external)
        sources = inside if names else [contexts.CONTEXTS["sibling"]]
        relatives = max((source.weight_groups(topology, number) for source in sources), default=1)
        if not names or not width:
            return cls(columns, external, None, relatives)
        return cls(columns, external, (relatives if groups == 1 else groups, cells, width), relatives)

    def projection(
        self, kind: ContextSynapses, seed: int, number: int, like: Tensor, dendrite: int = 1
    ) -> Projection | None:
        """Create the synapses.

        Args:
            kind: how they begin.
            seed: root seed of the stream ``context``, of random and uniform ones.
            number: of the layer, from 1.
            like: tensor whose type and device they get.
            dendrite: number of the dendrite, from 1.

        Returns:
            Weights of the shape in `shape`; None without such synapses.
        """
        if self.shape is None or kind == "one_to_one":
            return None
        if kind == "silent":
            return Projection(like.new_zeros(self.shape))
        names: tuple[str | int, ...] = ("context", number) if dendrite == 1 else ("context", number, dendrite)
        if kind == "uniform":
            return Projection(uniform_weights(seed, names, self.shape, math.sqrt(1 / self.shape[2]), like))
        return Projection(normal_weights(seed, names, self.shape, math.sqrt(2 / self.shape[2]), like))


def highest_with_context(all_contexts: Sequence[str]) -> int:
    """Find the highest layer, from 1, that has a context; the top layer where none has.

    >>> highest_with_context(["sibling", "sibling", "none"])
    2
    """
    numbers = [number for number, context in enumerate(all_contexts, 1) if contexts.split(context)]
    return max(numbers, default=len(all_contexts))


def project_back(layer: Layer, values: Tensor) -> Tensor:
    """Project values of cells back through their context synapses, onto the cells of the layer they come from.

    Args:
        layer: with context synapses. Sources in a second view, and external ones, are left out.
        values: (batch, positions, cells).

    Returns:
        Sums over all targets of a cell, (batch, positions, cells).
    """
    assert layer.context is not None
    count, cells, sources = layer.context_index.shape[1], values.shape[2], layer.context_index.flatten()
    back = Projection(layer.context.weights[:, :, : count * cells].transpose(1, 2))(values)
    inside = sources < layer.positions
    each = back.unflatten(2, (count, cells)).flatten(1, 2)  # In the order of their sources.
    return torch.zeros_like(values).index_add(1, sources[inside], each[:, inside])


def gather_other_tops(top: Tensor, positions: int) -> Tensor:
    """Gather, for each column, the columns of the highest layer other than the one above it.

    Columns under different ancestors have separate context cells, silent for all others, for what another part of the
    tree predicts of them is a relation of its own.

    Args:
        top: activity of the highest layer, (batch, tops, cells).
        positions: columns of the layer with this context, a multiple of the tops.

    Returns:
        (batch, positions, tops (tops - 1) cells).
    """
    batch, tops, cells = top.shape
    ancestor = torch.arange(positions) * tops // positions
    others = torch.tensor([[other for other in range(tops) if other != own] for own in range(tops)])
    gathered = top.new_zeros(batch, positions, tops, tops - 1, cells)
    gathered[:, torch.arange(positions), ancestor] = top[:, others[ancestor]]
    return gathered.flatten(2)
