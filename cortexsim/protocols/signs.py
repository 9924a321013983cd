"""Signs of changes after pairs of spikes and pulses of modulators, which some cards compare with those published."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cortexsim.protocols.cards.card import Point
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs
from cortexsim.rules import Rule

RATE, COUNT = 10.0, 20  # Pairs a second, and in all.
HALF = 0.5
Pulses = Mapping[str, Sequence[Pulse]]


def after_pairs(rule: Rule, delta: float, pulses: Callable[[float], Pulses], after: float) -> float:
    """Change of a weight by pairs of spikes with pulses of modulators.

    Args:
        rule: with these modulators.
        delta: t_post - t_pre, ms.
        pulses: by modulator, for the time of the last spike, s.
        after: time from this spike until the weight is read, s.
    """
    trains = pairs(delta / 1000, RATE, COUNT)
    last = float(max(trains.pre[0][-1], trains.post[0][-1]))
    return float(run(rule, Protocol(trains.pre, trains.post, last + after, pulses=pulses(last)))[0])


def compare(
    changes: Sequence[float], conditions: Mapping[tuple[str, int], int], nothing: float = 0.0
) -> tuple[list[Point], int]:
    """Compare changes with signs: points relative to the largest change, and how many are right.

    >>> compare([2.0, 0.1], {("+10 ms", 0): 1, ("-10 ms", 0): 0}, nothing=0.2)[1]
    2

    Args:
        changes: of weights, (conditions,).
        conditions: series and place in the figure, and the sign that is right.
        nothing: share of the largest change below which a change counts as none.
    """
    largest = max(map(abs, changes)) or 1.0
    found = [0 if abs(change) < nothing * largest else int(np.sign(change)) for change in changes]
    right = sum(sign == wanted for sign, wanted in zip(found, conditions.values(), strict=True))
    places = zip(conditions.items(), changes, strict=True)
    return [Point(series, x, change / largest, sign) for ((series, x), sign), change in places], right


def fading(changes: Sequence[float]) -> np.ndarray:
    """Changes relative to the first one, by rising delay of a modulator, (delays,); 0 where the first one is 0."""
    return np.asarray(changes) / changes[0] if changes[0] else np.zeros(len(changes))


def fades(shares: np.ndarray) -> bool:
    """Whether an effect becomes smaller with every delay, to less than half, without changing its sign."""
    return bool((np.diff(shares) < 0).all() and 0 <= shares[-1] < HALF)
