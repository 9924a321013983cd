"""Weights of single synapses in the course of a training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RecordedSynapses:
    """Synapses of one weight tensor, and their weights at the times of `WeightsOverTime.fixations`.

    Attributes:
        place: index of each in the flattened tensor, (synapses,).
        pre: presynaptic cell, (synapses,): of the layer below or the input; of context weights, of the layer itself.
            Cells are numbered column by column, from 0; those of a second view, and then those of contexts outside of
            the layer, count on from the last of the layer. -1 is beyond the edge of a picture, where nothing is.
        post: postsynaptic cell of the layer, (synapses,); of the first column that has a weight that columns share.
        weights: (times, synapses).
    """

    place: np.ndarray
    pre: np.ndarray
    post: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True)
class WeightsOverTime(Mapping[str, RecordedSynapses]):
    """Weights of chosen synapses while a network learned, by the names of `cortexsim.api.Run.weights`.

    >>> synapses = RecordedSynapses(np.array([5]), np.array([1]), np.array([2]), np.array([[0.25], [0.5]]))
    >>> over_time = WeightsOverTime(np.array([0, 500]), {"layer1.feedforward": synapses})
    >>> over_time
    <WeightsOverTime: 1 synapses at 2 times, to fixation 500>
    >>> over_time["layer1.feedforward"].weights[-1]  # At the end, (synapses,).
    array([0.5])

    Attributes:
        fixations: how many had been shown since training began, over all stages, (times,). Where layers learn batch by
            batch, weights were read at the end of the batch in which a multiple of ``--every`` fell.
        synapses: by name of the weight tensor, such as ``layer1.feedforward`` and ``layer1.context``.
    """

    fixations: np.ndarray
    synapses: Mapping[str, RecordedSynapses]

    def __getitem__(self, name: str) -> RecordedSynapses:
        return self.synapses[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.synapses)

    def __len__(self) -> int:
        return len(self.synapses)

    def __repr__(self) -> str:
        count = sum(map(len, self.synapses.values()))
        return f"<WeightsOverTime: {count} synapses at {len(self.fixations)} times, to fixation {self.fixations[-1]}>"
