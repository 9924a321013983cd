"""Synapses on a dendrite learn the potential to which other inputs draw the soma, and give it back without them.

Urbanczik & Senn, "Learning by the dendritic prediction of somatic spiking", Neuron 2014, figure 1, in the units of
NEST's example of it: a pattern of 200 ms, in which each of 200 presynaptic cells has spikes at 10 Hz, is shown again
and again, while excitatory and inhibitory conductances draw the soma to its matching potential. What is compared is
the correlation of V*, the potential that the dendrite alone would give the soma, with this matching potential; its
course in NEST 3.10, with other patterns and spikes, stands beside it. Weights change after each presentation, so that
the first one shows them as drawn. The soma follows its conductances at once, where in NEST it does so within half a
millisecond; without them it is at V*, as what has been learned then shows.

A rule can be asked where it reads what the experiment is about:

>>> from cortexsim.rules import load_rule
>>> CARD.obstacle(load_rule("stdp_pair"))
'it does not read the dendrite of the cell, which is what the experiment is about'
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import poisson
from cortexsim.rules import Rule
from cortexsim.seeds import stream

INPUTS, RATE, PATTERN, WARM = 200, 10.0, 200, 60  # Cells, Hz, ms, ms before in which the pattern ends already.
LEAK, COUPLING, REST = 30.0, 600.0, -70.0  # nS, nS, mV.
EXCITATION, SWING, INHIBITION, REVERSAL = 162.0, 144.0, 540.0, -75.0  # Of the teacher, nS and mV.
PEAK, HALF, THETA, WIDTH, REFRACTORY = 0.15, 0.5, -55.0, 3.0, 3  # Spikes per ms; mV; ms.
WEIGHT = 1.29  # Before, mV: that of 90 pA.
SHOWN, SILENT = 21, -300.0  # Presentations; mV at which nothing changes.
NEST = {1: 0.29, 2: 0.61, 3: 0.80, 6: 0.84, 11: 0.90, 21: 0.95}  # Correlation in each presentation.
LEAST = 0.9


def measure(rule: Rule) -> Result:
    """Show the pattern while the soma is taught, then without a teacher."""
    trains = poisson(np.full(INPUTS, RATE), PATTERN / 1000, stream(0, "pattern"))
    draw, weights = stream(0, "spikes"), np.full(INPUTS, WEIGHT)
    potentials, matching, course = _postsynaptic(trains), _teacher(), []
    for _ in range(SHOWN):
        predicted = _predicted(weights, potentials)
        course.append(_correlation(predicted, matching))
        weights = weights + _learn(rule, weights, trains, predicted, draw)
    # Without a teacher the soma is where the dendrite brings it.
    after = _correlation(_predicted(weights, potentials), matching)
    points = [Point("taught", shown, course[shown - 1], data) for shown, data in NEST.items()]
    points.append(Point("without the teacher", SHOWN + 1, after))
    number = f"r = {course[-1]:.2f} when taught {SHOWN} times, {after:.2f} without the teacher"
    return Result(points, number, bool(min(course[-1], after) > LEAST))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 else 0.0


def _postsynaptic(trains: list[np.ndarray]) -> np.ndarray:
    """Postsynaptic potentials of a weight of 1 mV, as the pattern repeats, (ms, inputs)."""
    time = np.arange(PATTERN) + 0.5
    found = np.zeros((PATTERN, INPUTS))
    for number, train in enumerate(trains):
        for spike in train * 1000:
            since = (time - spike) % PATTERN
            found[:, number] += np.exp(-since / 10) - np.exp(-since / 3)
    return found


def _teacher() -> np.ndarray:
    """The matching potential, (ms,)."""
    excitation = _excitation()
    return INHIBITION * REVERSAL / (excitation + INHIBITION)


def _excitation() -> np.ndarray:
    return EXCITATION + SWING * np.sin(2 * np.pi * 2 * (np.arange(PATTERN) + 0.5) / PATTERN)


def _predicted(weights: np.ndarray, potentials: np.ndarray) -> np.ndarray:
    """V*, (ms,)."""
    return (LEAK * REST + COUPLING * (REST + potentials @ weights)) / (LEAK + COUPLING)


def _learn(
    rule: Rule, weights: np.ndarray, trains: list[np.ndarray], predicted: np.ndarray, draw: np.random.Generator
) -> np.ndarray:
    """Change of weights in one presentation, (inputs,)."""
    excitation = _excitation()
    pull = (LEAK + COUPLING) * predicted + INHIBITION * REVERSAL
    soma = pull / (LEAK + COUPLING + excitation + INHIBITION)
    chance = PEAK / (1 + HALF * np.exp((THETA - soma) / WIDTH))
    spikes: list[int] = []
    for step in np.flatnonzero(draw.random(PATTERN) < chance):
        if not spikes or step - spikes[-1] >= REFRACTORY:
            spikes.append(int(step))
    post = (WARM + np.array(spikes) + 0.5) / 1000
    before = [train[train * 1000 >= PATTERN - WARM] * 1000 - PATTERN for train in trains]
    pre = [(WARM + np.concatenate([early, train * 1000])) / 1000 for early, train in zip(before, trains, strict=True)]
    dendrite = np.concatenate([np.full(WARM, SILENT), predicted])
    return run(rule, Protocol(pre, [post] * INPUTS, (WARM + PATTERN) / 1000, weights, dendrite=dendrite))


CARD = Card(
    name="dendritic_prediction",
    title="A dendrite learns the potential to which a teacher draws the soma",
    criterion=f"correlation of prediction and matching potential above {LEAST:g}, taught and without the teacher",
    source="Urbanczik & Senn 2014; NEST 3.10",
    axes=("presentation", "correlation"),
    measure=measure,
    dendrite=True,
)
