"""Recordings: what a trained network does while samples are shown, fixation by fixation."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cortexsim.analysis.probes import activities
from cortexsim.learners import HybridNetwork, Segment
from cortexsim.rate import Network
from cortexsim.rate.threads import one_thread

UNTIMED = 1.0  # Seconds that a fixation of a network takes in which no time passes.


@dataclass(frozen=True)
class Recording:
    """Fixations that were shown to a trained network, one after the other, and its response; nothing was learned.

    Attributes:
        inputs: what was shown, (fixations, positions, channels).
        labels: (fixations,); -1 where there is none.
        activity: of each layer, from the lowest, as `Run.activities` returns it: (fixations, positions, cells) each.
        spikes: of each population, (2, spikes): times in seconds, and cell indices; empty where nothing spikes.
        sizes: number of cells of each population that spikes.
        modulators: values at the end of each fixation, by name and layer, (fixations, columns or 1).
        period: duration of a fixation with its blank, in seconds; a second in networks of rate cells, which have no
            time of their own.
        halves: 2 where a fixation begins with the context of the one before, as with `dendrite = "psp"`; otherwise 1.
    """

    inputs: np.ndarray
    labels: np.ndarray
    activity: list[np.ndarray]
    spikes: Mapping[str, np.ndarray]
    sizes: Mapping[str, int]
    modulators: Mapping[str, np.ndarray]
    period: float
    halves: int

    def __repr__(self) -> str:
        spikes = sum(events.shape[1] for events in self.spikes.values())
        return f"<Recording: {len(self.labels)} fixations, {self.duration:g} s, {spikes} spikes>"

    @property
    def duration(self) -> float:
        """Of the recording, in seconds."""
        return len(self.labels) * self.period


def record(network: Network, inputs: Tensor, labels: np.ndarray, seed: int) -> Recording:
    """Show samples to a network.

    >>> import torch
    >>> from cortexsim.rate import Architecture
    >>> from cortexsim.topology import tree
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), classes=4, seed=0)
    >>> recording = record(network, torch.rand(10, 4, 8), labels=np.arange(10) % 4, seed=0)
    >>> [activity.shape for activity in recording.activity], recording.duration
    ([(10, 2, 16), (10, 1, 16)], 10.0)

    Args:
        network: the network.
        inputs: (samples, positions, channels).
        labels: (samples,).
        seed: of the input spikes.
    """
    spikes, sizes, modulators = record_spikes(network, inputs, seed)
    timing = network.segments[0].settings.timing if isinstance(network, HybridNetwork) else None
    with one_thread():
        activity = [code.cpu().numpy() for code in activities(network, inputs)]
    return Recording(
        inputs=inputs.cpu().numpy(),
        labels=labels,
        activity=activity,
        spikes=spikes,
        sizes=sizes,
        modulators=modulators,
        period=UNTIMED if timing is None else timing.period,
        halves=max((segment.halves for segment in spiking_segments(network)), default=1),
    )


def record_spikes(
    network: Network, inputs: Tensor, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, int], dict[str, np.ndarray]]:
    """Present samples to all spiking layers of a network, one after the other.

    Args:
        network: the network.
        inputs: (samples, positions, channels).
        seed: of the input spikes.

    Returns:
        By population, the spikes, (2, spikes), with times in seconds, and the number of cells; and the modulators. The
        population that sends a layer's input is ``input``, and ``input3`` if the spiking layers begin with the third.
    """
    spikes: dict[str, np.ndarray] = {}
    sizes: dict[str, int] = {}
    modulators: dict[str, np.ndarray] = {}
    for segment in spiking_segments(network):
        below = network.activities(inputs, segment.first)[-1] if segment.first else inputs
        outcome = segment.record_all(below, 0, seed)
        modulators |= outcome.modulators
        for name, (steps, cells) in outcome.events.items():
            own = f"input{segment.first + 1}" if name == "input" and segment.first else name
            spikes[own] = np.stack([steps * segment.settings.timing.dt, cells])
            sizes[own] = outcome.activity[name].shape[1] if name in outcome.activity else below[0].numel()
    return spikes, sizes, modulators


def spiking_segments(network: Network) -> list[Segment]:
    """Return the groups of layers of a network that spike, from the lowest.

    Args:
        network: any; one of rate cells alone has none.
    """
    segments = network.segments if isinstance(network, HybridNetwork) else ()
    return [segment for segment in segments if segment.substrate == "spiking"]
