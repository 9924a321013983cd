"""Trains of spikes that experiments use."""

import math
from collections.abc import Sequence

import numpy as np

from cortexsim.errors import UserError
from cortexsim.protocols.protocol import Protocol

START, AFTER = 0.2, 0.1  # Before the first repetition and after the last spike, s.


def repeated(pre: Sequence[float], post: Sequence[float], rate: float, count: int) -> Protocol:
    """Repeat a motif of spikes.

    >>> repeated([0.0], [0.01], rate=10.0, count=2).post
    [array([0.21, 0.31])]

    Args:
        pre: times of presynaptic spikes from the beginning of the motif, s; they may be negative, to -0.2 s.
        post: of postsynaptic spikes; either may be empty.
        rate: repetitions per second, Hz.
        count: number of repetitions.

    Raises:
        UserError: where there is no spike, or rate or count is impossible.
    """
    if not 0 < rate < math.inf:
        raise UserError(f"rate = {rate!r}: not a number above 0, in Hz")
    if count < 1:
        raise UserError(f"count = {count!r}: not a number of repetitions (at least 1)")
    if not len(pre) + len(post):
        raise UserError("pre and post: no spikes (at least one of either cell)")
    starts = START + np.arange(count) / rate
    first, second = (np.sort((starts[:, None] + np.asarray(each)).ravel()) for each in (pre, post))
    return Protocol([first], [second], float(max(*first, *second)) + AFTER)


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

    Raises:
        UserError: where a rate is no number of 0 or more.
    """
    check_rates("rates", rates)
    counts = generator.poisson(np.asarray(rates) * duration)
    return [np.sort(generator.uniform(0, duration, count)) for count in counts]


def check_rates(name: str, rates: float | Sequence[float] | np.ndarray) -> None:
    """Check that rates are finite and 0 or more.

    Args:
        name: of the argument, for the error message.
        rates: Hz.

    Raises:
        UserError: where one is not.
    """
    given = np.ravel(rates).astype(float)
    if wrong := given[~((given >= 0) & (given < math.inf))].tolist():
        raise UserError(f"{name} = {wrong[0]:g}: not a rate of 0 or more, in Hz")
