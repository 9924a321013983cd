"""All synapses of a silent cell grow by the same factor, those of an overactive one shrink.

Turrigiano, Leslie, Desai, Rutherford, Nelson, "Activity-dependent scaling of quantal amplitude in neocortical neurons",
Nature 1998. Three weights of one cell, whose synapses are silent, keep their ratios. Then the loop is closed: the rate
of a cell is its weight times a drive, which is halved or quadrupled, and the rule, read on rates, has to bring both
back to one rate. Rates and durations are choices made here.

Both cells return to the target of the rule:

>>> from cortexsim.rules import load_rule
>>> settled(load_rule("scaling")).round(1)  # Hz, after half and after four times the drive.
array([5., 5.])
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.rates import mean_change
from cortexsim.protocols.running import run
from cortexsim.rules import Rule

WEIGHTS = np.array([0.5, 1.0, 2.0])
SILENT, ACTIVE, DURATION = 0.0, 20.0, 20.0  # Hz; s.
TOLERANCE = 1e-6  # Of ratios.
DRIVE, SHARES = 5.0, np.array([0.5, 4.0])  # Rate at a weight of 1, Hz; by what the drive of two cells is changed.
HOURS, STEP, RETURNED = 1.0, 10.0, 0.05  # Time to return, time step in s, and how close the two rates have to be.
RUNAWAY = 1e6  # Weight at which a cell is given up.


def measure(rule: Rule) -> Result:
    """Run three weights of a cell that is silent, and of one that is active."""
    points, factors, ratios = [], {}, []
    for rate in (SILENT, ACTIVE):
        post = np.arange(0.5, rate * DURATION) / rate if rate else np.array([])
        scaled = 1 + run(rule, Protocol([[]] * 3, [post] * 3, DURATION, weight=WEIGHTS)) / WEIGHTS
        factors[rate] = float(scaled.mean())
        ratios.append(float(np.ptp(scaled) / abs(scaled.mean())))
        points += [Point(f"{rate:g} Hz", w, s, factors[rate]) for w, s in zip(WEIGHTS, scaled, strict=True)]
    right = factors[SILENT] > 1 > factors[ACTIVE] and max(ratios) <= TOLERANCE
    number = f"factors {factors[SILENT]:.3f} and {factors[ACTIVE]:.3f}, ratios differ by {max(ratios):.0e}"
    if not right:
        return Result(points, number, False)
    ends = settled(rule)
    points += [
        Point("rates after an hour", drive, end / ends[-1], 1.0) for drive, end in zip(SHARES, ends, strict=True)
    ]
    number += f"; rates return to {ends[0]:.2f} and {ends[-1]:.2f} Hz"
    return Result(points, number, bool(abs(ends[0] / ends[-1] - 1) <= RETURNED))


def settled(rule: Rule) -> np.ndarray:
    """Rates of cells after a time in which their rate is their weight times a drive, (drives,) Hz."""
    drives, weight = SHARES * DRIVE, np.ones(len(SHARES))
    for _ in range(round(3600 * HOURS / STEP)):
        weight = np.maximum(weight + STEP * mean_change(rule, drives, drives * weight, weight), 0.0)
        if not (weight < RUNAWAY).all():
            break
    return drives * weight


CARD = Card(
    name="homeostasis",
    title="Synapses scale together, against the activity of their cell",
    criterion=f"factor above 1 in silence, below 1 at {ACTIVE:g} Hz, the same for all weights within {TOLERANCE:g};"
    f" a halved and a quadrupled rate return to one within {RETURNED:.0%}",
    source="Turrigiano et al. 1998",
    axes=("weight before, or change of the drive", "factor, or rate relative to that of the strongest drive"),
    measure=measure,
)
