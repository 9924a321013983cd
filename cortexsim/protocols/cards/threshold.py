"""The rate of the cell at which depression turns into potentiation is the same on Poisson spikes and on rates.

Bienenstock, Cooper, Munro, J. Neuroscience 1982: activity below a threshold depresses, above it potentiates. That
rules of spike timing have such a threshold where spikes are Poisson is Izhikevich & Desai, "Relating STDP to BCM",
Neural Computation 2003, and for triplets Pfister & Gerstner 2006. The same rule text is read on rates and on spikes.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("stdp_triplet")).number
'19.2 Hz on rates, 19.4 Hz on spikes'
"""

import numpy as np
from scipy.optimize import brentq

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.rates import mean_change
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import poisson
from cortexsim.rules import Rule
from cortexsim.seeds import stream

PRE, LOWEST, HIGHEST = 10.0, 1.0, 60.0  # Hz.
EACH, DURATION = 60, 60.0  # Synapses at each rate; s.
SHARES = np.array([0.6, 0.8, 1.0, 1.2, 1.4])  # Rates on spikes, in units of the threshold on rates.
TOLERANCE = 0.5  # Hz.


def measure(rule: Rule) -> Result:
    """Find the threshold on rates, then on spikes around it."""
    grid = np.linspace(LOWEST, HIGHEST, 60)
    on_rates = mean_change(rule, PRE, grid)
    unit = np.abs(on_rates).max() or 1.0
    points = [Point("rates", rate, change / unit) for rate, change in zip(grid, on_rates, strict=True)]
    if not on_rates[0] < 0 < on_rates[-1]:
        return Result(points, "no threshold on rates", False)
    threshold = brentq(lambda rate: float(mean_change(rule, PRE, rate)), LOWEST, HIGHEST)
    rates = SHARES * threshold
    change = _on_spikes(rule, rates)
    means, errors = change.mean(axis=1), change.std(axis=1) / np.sqrt(EACH)
    points += [
        Point("Poisson spikes", rate, mean / unit, float(mean_change(rule, PRE, rate)) / unit, error / unit)
        for rate, mean, error in zip(rates, means, errors, strict=True)
    ]
    roots = np.roots(np.polyfit(rates, means, 2)).real
    found = float(roots[np.argmin(np.abs(roots - threshold))])
    return Result(points, f"{threshold:.1f} Hz on rates, {found:.1f} Hz on spikes", abs(found - threshold) <= TOLERANCE)


def _on_spikes(rule: Rule, rates: np.ndarray) -> np.ndarray:
    """Changes per second, (rates, synapses at each)."""
    generator, each = stream(0, "threshold"), np.repeat(rates, EACH)
    pre, post = poisson(np.full(len(each), PRE), DURATION, generator), poisson(each, DURATION, generator)
    return (run(rule, Protocol(pre, post, DURATION)) / DURATION).reshape(len(rates), EACH)


CARD = Card(
    name="threshold",
    title="One threshold, on spikes and on rates",
    criterion=f"depression below, potentiation above, at rates that agree within {TOLERANCE:g} Hz",
    source="Bienenstock, Cooper, Munro 1982; Pfister & Gerstner 2006",
    axes=("postsynaptic rate [Hz]", "mean change of weight, relative"),
    measure=measure,
)
