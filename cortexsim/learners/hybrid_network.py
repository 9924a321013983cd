"""Networks with layers in Brian2: a rate network whose layers, some or all, are simulated there."""

import torch
from torch import Tensor

from cortexsim.learners.segment import Segment
from cortexsim.rate import Network
from cortexsim.spiking import CLASSES, INPUT

CLIPPED = "{:.1%} of the activity below spiking layers is clipped: below 0, or above one input spike a time step."
"""Message about the fraction ``clipped`` that `HybridNetwork.respond` returns."""


class HybridNetwork(Network):
    """A network of layers on different substrates; between them passes the activity of whole fixations.

    Activity has no unit. For a spiking layer above, a rate layer's activity z becomes spikes at z times ``input_rate``,
    in Hz; a rate layer above receives the rate of a spiking layer, in Hz, over ``unit_rate``.

    >>> from cortexsim.config.building import assemble
    >>> from cortexsim.config.overrides import changed
    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> model = changed(find_model("hebb-spiking"), {"network.substrate": ["spiking", "rate"], "network.shared": False})
    >>> network = assemble(model, Hierarchy(depth=2), seed=0).network
    >>> [network.segment_of(layer) is not None for layer in (0, 1)]  # Whether each is simulated in Brian2.
    [True, False]

    Attributes:
        segments: layers that are simulated in Brian2 together, from below.
        seed: of the input spikes.
    """

    segments: tuple[Segment, ...] = ()
    seed: int = 0

    def compile_programs(self) -> None:
        """Compile the programs of all stages of learning, or find them in the cache, before any of them is needed.

        Raises:
            UserError: where there is no compiler, or it fails.
        """
        for segment in self.segments:
            for stage in range(max(1, len(segment.schedule))):
                _ = segment.stack(stage).engine

    def segment_of(self, layer: int) -> Segment | None:
        """Find the segment of a layer, counted from 0; None for a rate layer."""
        return next((part for part in self.segments if part.first <= layer < part.first + len(part.layers)), None)

    def signal(self, activity: Tensor) -> Tensor:
        """Subtract the running mean from the top layer's activity where plasticity is centred, as its dendrites do.

        Args:
            activity: (batch, positions, cells).
        """
        segment = self.segment_of(len(self.layers) - 1)
        return activity - self.layers[-1].mean if segment and segment.settings.centred else activity

    def class_activity(self, leaves: Tensor) -> Tensor | None:
        """Compute the activity of cells that answer with the class, (batch, classes); None where there are none.

        Args:
            leaves: inputs, (batch, positions, channels).
        """
        segment = self.segment_of(len(self.layers) - 1)
        if segment is None or not segment.answers:
            return None
        below = self.activities(leaves, segment.first)[-1] if segment.first else leaves
        _, outcome = segment.respond(below, self.seed)
        return torch.from_numpy(outcome.activity[CLASSES]).to(leaves)

    def activities(self, leaves: Tensor, layers: int | None = None, learning: bool = False) -> list[Tensor]:
        """Compute the activity of each layer, (batch, positions, cells), for leaves (batch, s^L, v); learn nothing."""
        return self.respond(leaves, layers)[0]

    @torch.no_grad()
    def respond(self, leaves: Tensor, layers: int | None = None) -> tuple[list[Tensor], dict[str, float]]:
        """Compute the activity of each layer, and the cost of the whole batch.

        Args:
            leaves: inputs, (batch, positions, channels).
            layers: how many layers from below; all unless given.

        Returns:
            The activity of each layer, (batch, positions, cells); and ``spikes`` and ``synaptic_operations`` in total,
            and ``clipped``, the largest fraction of the activity below a segment that its input could not encode.
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
            cost["spikes"] += sum(count for name, count in outcome.spikes.items() if name != INPUT)
            cost["synaptic_operations"] += outcome.operations
        return found[1 : wanted + 1], cost
