"""Local learning from pairs of random views, each of which is the context of the other.

The views of a batch are one stretch of the stream, all first views before all second ones, so that the negative of a
sample is the one before it. A layer learns as soon as the activity below is known, of which nothing is kept.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from cortexsim.learners.local import Local
from cortexsim.rate import exchanged, side_by_side


class PairedLocal(Local):
    """Train each layer by itself, from what it does in one view of a sample and in the other.

    The arguments are those of `Local`.

    >>> from cortexsim.rate import Architecture, Network, Optimization, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> views = Synapses(context=("view",) * 2, context_synapses="random")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, views)
    >>> learner = PairedLocal(network, load_rule("clapp"), Optimization(), "simultaneous", trained_layers=2)
    >>> [k for k, _ in learner.updates(0, torch.rand(10, 2, 4, 8))]  # Layers, from 0, for ten pairs of views.
    [0, 1]
    """

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels), of which new views are shown in every epoch."""
        return inputs

    @torch.inference_mode()
    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update the weights of the layers of a stage after a batch of pairs, (batch, 2, positions, channels)."""
        for k, updates in self.updates(stage, batch, learning=True):
            self._optimizer(k).step(updates, progress)

    def updates(self, stage: int, batch: Tensor, learning: bool = False) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """Compute the update directions of the layers of a stage, one layer after the other.

        Args:
            stage: from 0.
            batch: pairs of views, (batch, 2, positions, channels).
            learning: whether input gains adapt.

        Yields:
            The number of a layer, from 0, and its directions by the names of its state; eta is not applied. The layer
            may change before the next is asked for.
        """
        below, external = side_by_side(batch), {}
        layers = self.schedule[stage]
        if any("view-top" in each.external_context for k in layers for each in self.plastic[k].each_dendrite):
            external = {"view-top": exchanged(self._top(below)).flatten(1).unsqueeze(1)}
        for layer in self.plastic[: layers[0]]:
            below = layer(below)
        for k in layers:
            below, updates = self._layer_updates(k, below, external, learning)
            yield k, updates

    def _layer_updates(
        self, k: int, below: Tensor, external: Mapping[str, Tensor], learning: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute what a layer sends, (2 batch, positions, cells), and its directions; its response is not kept."""
        layer = self.plastic[k]
        response = layer.respond(below, learning)
        cells, activity = layer.learning_cells, layer.project(response).activity
        view = exchanged(cells.exposed(activity))
        contexts = [each.gather_context(activity, external, view) for each in cells.each_dendrite]
        return layer.send(response.activity), self.plasticity.updates_of_dendrites(layer, response, contexts)

    def _top(self, below: Tensor) -> Tensor:
        """Compute what dendrites receive from the highest layer that learns, (batch, places, cells)."""
        for layer in self.plastic[:-1]:
            below = layer(below)
        top = self.plastic[-1]
        activity = top.respond(below).activity
        return top.exposed(activity) if top.places is not None else top.send(activity)
