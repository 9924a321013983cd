"""Pairs of spikes at different frequencies, given as the voltage of the cell in which they are evoked.

The data are those of Sjostrom, Turrigiano, Nelson, Neuron 2001, as in the card `frequency`; the cell and the protocol
are those of Clopath, Busing, Vasilaki, Gerstner, Nature Neuroscience 2010, from their code (ModelDB 144566): fifteen
trains of five pairs, ten seconds apart (ten at .1 Hz), weights of .5, and an adaptive exponential cell with a current
after each spike and a threshold that jumps, at a time step of 1 ms. A spike is 2 ms long; its height in each of them
stands for an integral at fine resolution. As there, trains in which the cell spikes first end with a sixth spike of it.
Each train finds the cell at rest, so that one of them tells of all.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("clopath")).number
'E = 0.66'
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.cards.frequency import DATA, LARGEST, RATES, error_of
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.running import run
from cortexsim.rules import Rule

CAPACITANCE, LEAK, COUPLING, REST = 281.0, 30.0, 4.0, -70.6  # pF, nS, nS, mV.
RISE, SLOPE, JUMP = -50.4, 2.0, 20.0  # Threshold of the upswing, its slope and its jump, mV.
TAU_ADAPTATION, TAU_AFTER, TAU_RISE = 144.0, 40.0, 50.0  # ms.
ADAPTATION, AFTER = 0.0805, 400.0  # By a spike, pA; the paper says 80.5 pA, the code of it .0805.
SPIKE, LANDING = (29.4, 32.862), 21.0984  # Voltages of the two steps of a spike; then above rest, mV.
PAIRS, TRAINS, SLOW_PAIRS, WEIGHT = 5, 15, 50, 0.5
SLOWEST = RATES[0]
BEFORE, AFTERWARDS = 20, 200  # ms.


def measure(rule: Rule) -> Result:
    """Run a rule at each frequency and timing."""
    conditions = [(delta, rate, *value) for delta, row in DATA.items() for rate, value in zip(RATES, row, strict=True)]
    points = [
        Point(f"{delta:+d} ms", rate, model, data, error)
        for (delta, rate, data, error), model in zip(conditions, changes(rule), strict=True)
    ]
    mismatch = error_of(points)
    return Result(points, f"E = {mismatch:.2f}", mismatch < LARGEST)


def changes(rule: Rule, sixth: bool = True) -> np.ndarray:
    """Relative changes of weight, by timing and frequency, (conditions,).

    Args:
        rule: that reads the voltage.
        sixth: whether the cell spikes once more at the end of a train in which it spikes first.
    """
    trains = [_train(delta, rate, sixth) for delta in DATA for rate in RATES]
    steps = int(max(times[-1] for train in trains for times in train)) + AFTERWARDS
    protocol = Protocol(
        [pre / 1000 for pre, _ in trains],
        [post / 1000 for _, post in trains],
        steps / 1000,
        weight=WEIGHT,
        potential=voltage([post for _, post in trains], steps),
    )
    repeats = [TRAINS if rate > SLOWEST else SLOW_PAIRS for _ in DATA for rate in RATES]
    return run(rule, protocol) * np.array(repeats) / WEIGHT


def _train(delta: int, rate: float, sixth: bool) -> tuple[np.ndarray, np.ndarray]:
    """Times of the spikes of both cells, ms; at the lowest frequency pairs do not meet, and one tells of all."""
    count = PAIRS if rate > SLOWEST else 1
    starts = BEFORE + np.round(np.arange(count + 1) * 1000 / rate)
    more = count + (sixth and delta < 0 and rate > SLOWEST)
    return starts[:count] + max(-delta, 0), starts[:more] + max(delta, 0)


def voltage(spikes: list[np.ndarray], steps: int) -> np.ndarray:
    """Integrate cells in which spikes are evoked, in steps of 1 ms.

    Args:
        spikes: steps in which each cell is made to spike, one array a cell.
        steps: how many.

    Returns:
        Voltages during each step, (steps, cells), mV.
    """
    evoked = np.stack([np.isin(np.arange(steps), times) for times in spikes], axis=1)
    u, w, after, rise = (np.full(len(spikes), value) for value in (REST, 0.0, 0.0, RISE))
    age, found = np.full(len(spikes), 2), np.empty(evoked.shape)  # Age: steps since the first of a spike.
    for step, begins in enumerate(evoked):
        age += 1
        landed = age == len(SPIKE)
        u, after, rise = (
            np.where(landed, new, old) for new, old in ((REST + LANDING, u), (AFTER, after), (RISE + JUMP, rise))
        )
        w = w + ADAPTATION * landed
        upswing = LEAK * SLOPE * np.exp(np.minimum((u - rise) / SLOPE, 20.0))
        new = u + (LEAK * (REST - u) + upswing - w + after) / CAPACITANCE
        second = age == 1
        w = np.where(second, w, w + (COUPLING * (u - REST) - w) / TAU_ADAPTATION)
        after, rise = after * (1 - 1 / TAU_AFTER), rise + (RISE - rise) / TAU_RISE
        begins = (begins | (new > 20)) & ~second
        age = np.where(begins, 0, age)
        u = np.where(begins, SPIKE[0], np.where(second, SPIKE[1], new))
        found[step] = u
    return found


CARD = Card(
    name="voltage",
    title="Pairs act through the voltage of the cell, at rest as depression, at high frequency as potentiation",
    criterion=f"mean squared deviation E below {LARGEST:g} s.e.m.^2",
    source="Sjostrom, Turrigiano, Nelson 2001; Clopath, Busing, Vasilaki, Gerstner 2010",
    axes=("frequency [Hz]", "change of weight"),
    measure=measure,
    voltage=True,
)
