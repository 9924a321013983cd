"""A plateau potential raises weak synapses that were active near it, and lowers strong ones.

Bittner et al., "Behavioral time scale synaptic plasticity underlies CA1 place fields", Science 2017; Milstein et al.,
eLife 2021. Where the change is linear in the weight and small, laps of the same run end at

    w* = I_p / (I_p + I_d)

(Cone & Shouval 2021), with I_p the change of a weight of 0 and -I_d that of a weight of 1. The weight at which nothing
changes has to be this one. And since the traces last for seconds, the field that a plateau leaves on a track is the
wider the faster the animal ran (Bittner et al. 2017). One lap, with ten spikes within half a second of the plateau, and
one spike in each place of the track, are choices made here.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("btsp")).number
'w* = 0.873, theory 0.873; field 0.12 to 0.43 m wide'
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.running import run
from cortexsim.rules import Rule

WEIGHTS = np.linspace(0.0, 1.0, 11)
PLATEAU, LENGTH, LAP = 8.0, 0.3, 20.0  # Beginning and length of the plateau, and length of the lap, s.
OFFSETS = (0.0, -1.5)  # From the plateau to the spikes, s.
TOLERANCE = 0.01
TRACK, SPEEDS = np.linspace(0.0, 1.87, 38), (0.1, 0.2, 0.4)  # Places along a track, m; m/s.
WIDER = 2.0  # Factor from the field of the slowest speed to that of the fastest.


def measure(rule: Rule) -> Result:
    """Find the weight at which a lap changes nothing."""
    lines = {offset: _changes(rule, offset) for offset in OFFSETS}
    unit = max(np.abs(line).max() for line in lines.values()) or 1.0
    points = [
        Point(f"{offset:+g} s", weight, change / unit, None if offset else _straight(line, weight) / unit)
        for offset, line in lines.items()
        for weight, change in zip(WEIGHTS, line, strict=True)
    ]
    widths = [width(rule, speed) for speed in SPEEDS]
    points += [Point("width of the field, by speed", v, w / max(widths)) for v, w in zip(SPEEDS, widths, strict=True)]
    near = lines[OFFSETS[0]]
    if not near[0] > 0 > near[-1]:
        return Result(points, "no weight at which nothing changes", False)
    crossing = int(np.flatnonzero(near > 0)[-1])
    share = near[crossing] / (near[crossing] - near[crossing + 1])
    found, wanted = float(WEIGHTS[crossing] + 0.1 * share), float(near[0] / (near[0] - near[-1]))
    number = f"w* = {found:.3f}, theory {wanted:.3f}; field {widths[0]:.2f} to {widths[-1]:.2f} m wide"
    return Result(points, number, abs(found / wanted - 1) <= TOLERANCE and widths[-1] >= WIDER * widths[0] > 0)


def width(rule: Rule, speed: float) -> float:
    """Width of the field that a plateau in the middle of a track leaves, its area over its height, m.

    Args:
        rule: with a plateau.
        speed: of the animal, m/s.
    """
    times = TRACK / speed
    pulses = {"plateau": [Pulse(float(times.mean()), 1.0, LENGTH)]}
    spikes, silent = list(times[:, None]), list(np.empty((len(TRACK), 0)))
    field = run(rule, Protocol(spikes, silent, float(times[-1]) + LAP, weight=0.0, pulses=pulses))
    return float(field.sum() / field.max() * (TRACK[1] - TRACK[0])) if field.max() > 0 else 0.0


def _straight(line: np.ndarray, weight: float) -> float:
    return float(line[0] + (line[-1] - line[0]) * weight)


def _changes(rule: Rule, offset: float) -> np.ndarray:
    """Changes of weights in one lap, by the weight before."""
    spikes = PLATEAU + offset + np.linspace(-0.25, 0.25, 10)
    count = len(WEIGHTS)
    pulses = {"plateau": [Pulse(PLATEAU, 1.0, LENGTH)]}
    return run(rule, Protocol([spikes] * count, [[]] * count, LAP, weight=WEIGHTS, pulses=pulses))


CARD = Card(
    name="plateau",
    title="A plateau potential draws the weights of synapses active near it to one value",
    criterion=f"weak weights grow, strong ones shrink, and w* is that of theory within {TOLERANCE:.0%};"
    f" the field is at least {WIDER:g} times as wide at {SPEEDS[-1] / SPEEDS[0]:g} times the speed",
    source="Bittner et al. 2017; Milstein et al. 2021; Cone & Shouval 2021",
    axes=("weight before, or speed [m/s]", "change of weight, relative"),
    measure=measure,
    modulators=frozenset({"plateau"}),
)
