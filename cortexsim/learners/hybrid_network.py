"""Networks with layers in Brian2: a rate network whose layers, some or all, are simulated there."""

import torch
from torch import Tensor

from cortexsim.learners.segment import Segment
from cortexsim.rate import Network

CLIPPED = "{:.1%} of the activity below spiking layers is clipped: below 0, or above one input spike a time step."
"""What to say of a share that `HybridNetwork.respond` answers with."""


class HybridNetwork(Network):
    """A network of layers on different substrates; between them passes the activity of whole fixations.

    Activity has no unit. A rate layer's activity z becomes Poisson spikes of z times ``input_rate`` [Hz] for a spiking
    layer above; a spiking layer is heard by a rate layer above as its rate [Hz] over ``unit_rate``.
    """

    segments: tuple[Segment, ...] = ()
    seed: int = 0

    def compile_programs(self) -> None:
        """Find or compile the programs of all stages of learning, before any of them is needed."""
        for segment in self.segments:
            for stage in range(max(1, len(segment.schedule))):
                _ = segment.stack(stage).engine

    def segment_of(self, layer: int) -> Segment | None:
        """Find the segment that a layer, counted from 0, lies in; None for a rate layer."""
        return next((part for part in self.segments if part.first <= layer < part.first + len(part.layers)), None)

    def signal(self, activity: Tensor) -> Tensor:
        """Take from the top layer's activity what its dendrites do not see: its mean, where plasticity is centred."""
        segment = self.segment_of(len(self.layers) - 1)
        return activity - self.layers[-1].mean if segment and segment.settings.centred else activity

    def activities(self, leaves: Tensor, layers: int | None = None, learning: bool = False) -> list[Tensor]:
        """Answer leaves (batch, s^L, v) with the activity of each layer, (batch, positions, cells); learn nothing."""
        return self.respond(leaves, layers)[0]

    @torch.no_grad()
    def respond(self, leaves: Tensor, layers: int | None = None) -> tuple[list[Tensor], dict[str, float]]:
        """Answer with the activity of each layer, and with what the whole batch costs.

        That is spikes, and synaptic operations; and ``clipped``, the share of the activity below spiking layers that
        their input spikes could not carry, where that is largest.
        """
        found, cost = [leaves], {"spikes": 0.0, "synaptic_operations": 0.0, "clipped": 0.0}
        wanted = len(self.layers) if layers is None else layers
        while len(found) - 1 < wanted:
            segment = self.segment_of(len(found) - 1)
            if segment is None:
                found.append(self.layers[len(found) - 1](found[-1]))
                continue
            cost["clipped"] = max(cost["clipped"], segment.clipped(found[-1]))
            codes, outcome = segment.respond(found[-1], self.seed)
            found += codes
            cost["spikes"] += sum(count for name, count in outcome.spikes.items() if name != "input")
            cost["synaptic_operations"] += outcome.operations
        return found[1 : wanted + 1], cost
