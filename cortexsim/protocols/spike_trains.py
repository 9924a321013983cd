"""Trains of spikes that experiments use."""

from collections.abc import Sequence

import numpy as np

from cortexsim.protocols.protocol import Protocol

START, AFTER = 0.2, 0.1  # Before the first repetition and after the last spike, s.


def repeated(pre: Sequence[float], post: Sequence[float], rate: float, count: int) -> Protocol:
    """Repeat a motif of spikes.

    >>> repeated([0.0], [0.01], rate=10.0, count=2).post
    [array([0.21, 0.31])]

    Args:
        pre: times of presynaptic spikes from the beginning of the motif, s; they may be negative, to -0.2 s.
        post: of postsynaptic spikes.
        rate: repetitions per second, Hz.
        count: number of repetitions.
    """
    starts = START + np.arange(count) / rate
    first, second = (np.sort((starts[:, None] + np.asarray(each)).ravel()) for each in (pre, post))
    return Protocol([first], [second], max(first[-1], second[-1]) + AFTER)


def pairs(delta: float, rate: float, count: int = 60) -> Protocol:
    """Repeat a pair of spikes: the protocol of most experiments on spike timing.

    Args:
        delta: t_post - t_pre, s.
        rate: of pairs, Hz.
        count: of pairs.
    """
    return repeated([0.0], [delta], rate, count)


def poisson(rates: Sequence[float] | np.ndarray, duration: float, generator: np.random.Generator) -> list[np.ndarray]:
    """Draw Poisson spike trains.

    Args:
        rates: of each cell, Hz.
        duration: s.
        generator: of randomness.
    """
    counts = generator.poisson(np.asarray(rates) * duration)
    return [np.sort(generator.uniform(0, duration, count)) for count in counts]
