"""Pairs of spikes: potentiation where the presynaptic one comes first, depression where it comes last.

Bi & Poo, "Synaptic modifications in cultured hippocampal neurons", J. Neuroscience 1998: 60 pairs at 1 Hz. The points
are a secondary digitisation of their figure. Exponentials are fitted to them, to depression without the four points
closer than 3.9 ms; a rule has to have each amplitude and time constant within one standard error of this fit.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("stdp_pair")).number
'A- 0.95 s.e. away'
"""

import warnings

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.layer_rules import scaled
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs
from cortexsim.rules import Rule

# t_post - t_pre in ms, relative change of the weight.
DATA = np.array([
    (-99.8, -.0173), (-77.4, -.1468), (-72.8, .0301), (-65.4, .0068), (-61.6, -.0804), (-61.4, -.0073), (-42.4, -.1377),
    (-23.4, -.0928), (-23.2, -.1510), (-18.4, -.2365), (-17.2, -.1377), (-14.0, -.0463), (-12.7, -.3204),
    (-8.2, -.2564), (-5.1, -.3577), (-4.9, -.2190), (-4.5, -.1327), (-4.4, -.4366), (-3.8, .7625), (-2.7, .0027),
    (-2.7, -.1593), (-2.6, .2319), (1.8, .9070), (4.2, .3008), (5.2, 1.0324), (6.3, .2136), (7.0, .3348),
    (7.3, .9626), (7.4, .8480),
    (7.8, .4926), (7.9, .0193), (8.0, .7334), (8.1, .1945), (16.7, .3564), (16.8, .4386), (25.2, .1463), (26.0, .0259),
    (35.0, .1804), (55.9, -.1111), (76.5, .0980), (85.1, -.0447), (94.5, .0284),
])  # fmt: skip
CLOSEST = 3.9  # Depression is fitted to pairs farther apart, ms.


def fit(delta: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit an exponential to each side of a window.

    Args:
        delta: t_post - t_pre, ms.
        change: of the weight.

    Returns:
        Amplitude and time constant (ms) of potentiation, then of depression; and their standard errors.
    """
    values, errors = [], []
    for side, amplitude in ((delta > 0, 0.8), (delta < -CLOSEST, -0.3)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # Of a window without scatter there is no covariance.
            found, covariance = curve_fit(_exponential, np.abs(delta[side]), change[side], (amplitude, 20.0))
        values += [*found]
        errors += [*np.sqrt(np.diag(covariance))]
    return np.array(values), np.array(errors)


def _exponential(distance: np.ndarray, amplitude: float, tau: float) -> np.ndarray:
    return amplitude * np.exp(-distance / tau)


def measure(rule: Rule) -> Result:
    """Compare the window of a rule with the exponentials that fit the data."""
    delta, data = DATA.T
    trains = [pairs(each / 1000, rate=1.0) for each in delta]
    together = Protocol([t.pre[0] for t in trains], [t.post[0] for t in trains], max(t.duration for t in trains))
    change = scaled(rule, run(rule, together), data)
    points = [
        Point("60 pairs at 1 Hz", x, model, measured) for x, model, measured in zip(delta, change, data, strict=True)
    ]
    values, errors = fit(delta, data)
    try:
        own, _ = fit(delta, change)
    except (RuntimeError, ValueError):  # Raised where no exponential fits, or a change is not finite.
        return Result(points, "no exponential fits its window", False)
    away = np.abs(own - values) / errors
    names = ("A+", "tau+", "A-", "tau-")
    worst = int(np.argmax(away))
    return Result(points, f"{names[worst]} {away[worst]:.2f} s.e. away", bool(away[worst] <= 1))


CARD = Card(
    name="pair_window",
    title="The order of two spikes decides between potentiation and depression",
    criterion="both amplitudes and time constants within 1 s.e. of the fit to the data",
    source="Bi & Poo 1998",
    axes=("t_post - t_pre [ms]", "change of weight"),
    measure=measure,
    recorded=lambda point: not -CLOSEST < point.x < 0,
)
